import { describe, expect, test } from 'vitest';
import { requestWriter } from '../../../src/client/request-writer.ts';
import { readCurl } from '../../../src/scenario/draft/curl.ts';
import { type DraftChoices, draftScenario } from '../../../src/scenario/draft/draft.ts';
import { draftText } from '../../../src/scenario/draft/draft-text.ts';
import { readHar } from '../../../src/scenario/draft/har.ts';
import { readRequest } from '../../../src/scenario/draft/read-request.ts';
import { parseScenario } from '../../../src/scenario/parse.ts';
import { planScenario } from '../../../src/scenario/plan.ts';
import { getDialect } from '../../../src/wire/dialects/index.ts';

const NOTES = { from: 'a test', schema: './schema.json' };

/** The file of a command, checked, and the request that a run would send. */
function sent(command: string, choices: DraftChoices = {}, env: Record<string, string> = {}) {
  const draft = draftScenario(readRequest(command).request, choices);
  const text = draftText(draft, NOTES);
  const values = draft.variables.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
  const loaded = parseScenario(text, 'draft.yaml', { env: { ...env, ...Object.fromEntries(values) } });
  const { targets, prompts } = planScenario(loaded);
  const [target, prompt] = [targets[0]!, prompts[0]!];
  const dialect = getDialect(target.dialect);
  const { baseUrl, path, body, method, model, extra, requestFields } = target;
  const { messages, maxTokens } = prompt;
  const write = requestWriter(dialect, { baseUrl, path, body, method });
  const request = write({ messages, stream: true, model, maxTokens, extra, fields: requestFields });
  return { draft, text, target, request, json: () => JSON.parse(request.body ?? 'null') as unknown };
}

describe('the request of the file is the pasted one', () => {
  const chat = {
    model: 'm',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Why?' },
    ],
    temperature: 0.3,
    max_tokens: 20,
    stream: true,
    user: 'me',
  };
  test.each([
    ['chat completions', '/v1/chat/completions', chat],
    [
      'another name of the limit',
      '/v1/chat/completions',
      { model: 'm', messages: chat.messages, max_completion_tokens: 9, stream: true },
    ],
    [
      'parts and images',
      '/v1/chat/completions',
      {
        model: 'm',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'hi' },
              { type: 'image_url', image_url: { url: 'http://h/i.png' } },
            ],
          },
        ],
        stream: true,
      },
    ],
    [
      'messages',
      '/v1/messages',
      { model: 'm', max_tokens: 5, system: 'S', messages: [{ role: 'user', content: 'hi' }], stream: true },
    ],
    [
      'a body of its own',
      '/api/chat/send',
      { conversation: { id: 7 }, message: 'hi', stream: true, big: 1.5 },
    ],
    [
      'Ollama',
      '/api/chat',
      { model: 'm', messages: [{ role: 'user', content: 'hi' }], stream: true, options: { seed: 3 } },
    ],
  ])('%s', (_, path, body) => {
    const { json, request } = sent(`curl http://h${path} --json '${JSON.stringify(body)}'`);
    expect(request.path).toBe(path);
    const { stream_options: _usage, ...fields } = json() as Record<string, unknown>;
    expect(fields).toEqual(body);
  });

  test('the question of an unknown body is the prompt', () => {
    const { draft } = sent(
      `curl http://h/x --json '{"messages":[{"role":"user","content":"Why?"}],"model":"m","k":1}'`,
    );
    expect(draft.target.body).toEqual({
      messages: [{ role: 'user', content: '{{prompt}}' }],
      model: '{{model}}',
      k: 1,
    });
    expect(draft.prompt.text).toBe('Why?');
    expect(draft.isConstant).toBe(false);
  });

  test('numbers that JavaScript cannot hold stay as they are', () => {
    const { request } = sent(`curl http://h/x --json '{"id":12345678901234567890,"message":"a"}'`);
    expect(request.body).toBe('{"id":12345678901234567890,"message":"a"}');
  });

  test('a GET keeps its query, with a place for the prompt', () => {
    const { request, draft } = sent('http://h/events?lang=de&q=hello%20there');
    expect(request.method).toBe('GET');
    expect(request.path).toMatch(/^\/events\?lang=de&q=In%20three/);
    expect(draft.isUnknown).toBe(true);
  });
});

describe('a known provider', () => {
  test('needs no URL, and its usual variable holds the key', () => {
    const { draft, target } = sent(
      `curl https://api.openai.com/v1/chat/completions -H 'Authorization: Bearer sk-proj-abcdef123456' --json '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'`,
    );
    expect(draft.target).toEqual({
      name: 'gpt-4o',
      provider: 'openai',
      model: 'gpt-4o',
      apiKey: '${env:OPENAI_API_KEY}',
    });
    expect(target.apiKey).toBe('sk-proj-abcdef123456');
  });

  test('a variable of the documentation keeps its name', () => {
    const { draft } = sent(
      `curl https://api.anthropic.com/v1/messages -H "x-api-key: $MY_KEY" -H 'anthropic-version: 2023-06-01' --json '{"model":"c","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'`,
      {},
      { MY_KEY: 'k' },
    );
    expect(draft.target).toMatchObject({ provider: 'anthropic', apiKey: '${env:MY_KEY}' });
    expect(draft.target.headers).toBeUndefined();
  });

  test('with another API of it', () => {
    const { draft } = sent(
      `curl https://api.openai.com/v1/responses --json '{"model":"gpt-4o","input":"hi"}'`,
      {},
      { OPENAI_API_KEY: 'k' },
    );
    expect(draft.target).toMatchObject({ provider: 'openai', dialect: 'openai-responses' });
  });
});

// Each of these keys is at another place of a request.
const SECRETS = {
  bearer: 'sk-live-4f9a8b7c6d5e4f3a',
  cookie: 'sid=8c1f0b2e77aa; csrf=51ab3399ff',
  header: 'a1b2c3d4e5f6a7b8c9d0e1',
  query: 'zz99yy88xx77ww66',
  field: 'hunter2-hunter2',
  nested: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
  path: 'Xk29dLs02KqPz81mNv5Tt',
};

test('no key of a request is in the file', () => {
  const command = `curl 'http://h/hooks/${SECRETS.path}?token=${SECRETS.query}' -H 'Authorization: Bearer ${SECRETS.bearer}' -b '${SECRETS.cookie}' -H 'X-Client: ${SECRETS.header}' -H 'referer: http://h/?session=${SECRETS.query}' --json '{"message":"hi","api_key":"${SECRETS.field}","meta":{"note":"${SECRETS.nested}"}}'`;
  const { text, draft, request } = sent(command);
  for (const [place, secret] of Object.entries(SECRETS)) expect(text, place).not.toContain(secret);
  expect(draft.variables.map(({ value }) => value).sort()).toEqual(Object.values(SECRETS).sort());
  // The run sends them all the same.
  expect(request.path).toContain(SECRETS.path);
  expect(request.path).toContain(SECRETS.query);
  expect(request.body).toContain(SECRETS.field);
  expect(request.body).toContain(SECRETS.nested);
});

test('-u is a variable for the encoded pair', () => {
  const { text, draft } = sent(`curl -u user:pa55word http://h/x -d a`);
  expect(draft.target.headers).toMatchObject({ authorization: 'Basic ${env:LOCAL_BASIC_AUTH}' });
  expect(text).not.toMatch(/pa55word|dXNlcjpwYTU1d29yZA/);
});

test('headers of the browser are left out and listed', () => {
  const { draft } = sent(
    `curl http://h/x -H 'sec-fetch-mode: cors' -H 'accept-language: de' -H 'accept-encoding: gzip' -H 'origin: http://h' -H 'x-tenant: acme' -d a`,
  );
  expect(draft.dropped).toEqual(['sec-fetch-mode', 'accept-language', 'accept-encoding']);
  expect(draft.target.headers).toMatchObject({ origin: 'http://h', 'x-tenant': 'acme' });
});

describe('a HAR file', () => {
  const entry = (url: string, type: string, text = '', method = 'POST') => ({
    request: {
      method,
      url,
      headers: [
        { name: ':method', value: method },
        { name: 'X-A', value: 'b' },
      ],
      postData: { text: '{"message":"hi"}' },
    },
    response: { status: 200, headers: [], content: { mimeType: type, text } },
  });
  const har = (...entries: object[]) => JSON.stringify({ log: { entries } });

  test('gives the request that streams', () => {
    const text = har(
      entry('http://h/page', 'text/html', '', 'GET'),
      entry('http://h/chat', 'text/event-stream; charset=utf-8', 'data: x\n\n'),
    );
    expect(readHar(text, 'a.har')).toMatchObject({
      method: 'POST',
      url: 'http://h/chat',
      headers: { 'x-a': 'b' },
      body: '{"message":"hi"}',
      response: { body: 'data: x\n\n' },
    });
  });

  test('lists several candidates, and a part of a URL selects one', () => {
    const text = har(
      entry('http://h/a?key=secret1', 'text/event-stream'),
      entry('http://h/b', 'text/event-stream'),
    );
    expect(() => readHar(text, 'a.har')).toThrow(/2 requests .*http:\/\/h\/a, POST http:\/\/h\/b\n.*PART/);
    expect(() => readHar(text, 'a.har')).not.toThrow(/secret1/);
    expect(readHar(text, 'a.har', '/b').url).toBe('http://h/b');
  });

  test('is refused if it is not a HAR file, or has no stream', () => {
    expect(() => readHar('{}', 'a.har')).toThrow(/not a HAR file\n.*Save all as HAR/);
    expect(() => readHar(har(entry('http://h/page', 'text/html')), 'a.har')).toThrow(
      /no request of a.har streams/,
    );
  });
});

test.each([
  ['example.com/chat', /add the scheme: https:\/\/example.com\/chat/],
  ['ftp://h/x', /starts with http/],
  ['fetch("http://h")', /Copy as cURL/],
  ['hello', /neither a URL nor a curl command/],
  ['curl -X PUT http://h', /PUT is not supported/],
])('%s is no request', (text, message) => {
  expect(() => readRequest(text)).toThrow(message);
});

test('a quoted word is kept as curl reads it', () => {
  expect(readCurl(`curl 'http://h/\${env:HOME}'`).url).toBe('http://h/$${env:HOME}');
});
