import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../../src/model/request.ts';
import {
  bodyTemplate,
  queryTemplate,
  unknownPlaceholders,
  writtenPlaceholders,
} from '../../src/wire/template.ts';

const SPECIAL = 'say "hi"\\\n\tto {{nonce}} 你好 & ?';
const CHAT: ChatRequest = {
  messages: [
    { role: 'system', content: 'brief' },
    { role: 'user', content: SPECIAL },
  ],
  maxTokens: 64,
  model: 'm1',
  nonce: 'n0nce123',
  stream: true,
};

describe('a JSON body', () => {
  test('a string that is only a placeholder becomes the value', () => {
    const body = `{"messages": "{{messages}}", "max": "{{ maxTokens }}", "stream": "{{stream}}", "q": "{{prompt}}"}`;
    const { kind, fill } = bodyTemplate(body);
    expect(kind).toBe('json');
    expect(JSON.parse(fill(CHAT))).toEqual({
      messages: CHAT.messages,
      max: 64,
      stream: true,
      q: `brief\n\n${SPECIAL}`,
    });
  });

  test('has escaped text where the placeholder is in a longer string', () => {
    const { fill } = bodyTemplate(
      '{"a": "<{{prompt}}>", "b": "{{model}}/{{maxTokens}}/{{stream}}", "c": "x {{messages}}"}',
    );
    expect(JSON.parse(fill(CHAT))).toEqual({
      a: `<brief\n\n${SPECIAL}>`,
      b: 'm1/64/true',
      c: `x ${JSON.stringify(CHAT.messages)}`,
    });
  });

  test('may have placeholders without quotes, which are values too', () => {
    const { kind, fill } = bodyTemplate('{"max": {{maxTokens}}, "q": {{prompt}}, "list": [{{stream}}]}');
    expect(kind).toBe('json');
    expect(JSON.parse(fill(CHAT))).toEqual({ max: 64, q: `brief\n\n${SPECIAL}`, list: [true] });
  });

  test('keeps every byte outside its placeholders', () => {
    const body =
      '{ "big": 12345678901234567890, "e": 1.0e3,\n "big": "\\u00e9\\"", "q": "{{model}}" , "s": "{{{{x}}"}';
    expect(bodyTemplate(body).fill(CHAT)).toBe(body.replace('"{{model}}"', '"m1"'));
    const fixed = '{"a" : [ ] , "b":1.50}';
    expect(bodyTemplate(fixed).fill(CHAT)).toBe(fixed);
    expect(bodyTemplate(fixed).names.size).toBe(0);
  });

  test('is filled once: placeholders inside values are not replaced', () => {
    const { fill } = bodyTemplate('{"q":"{{prompt}}"}');
    const prompt = '{{nonce}} {{prompt}} {{model}} $& $1';
    expect(JSON.parse(fill({ messages: [{ role: 'user', content: prompt }], stream: true }))).toEqual({
      q: prompt,
    });
  });

  test('has null or an empty text for unset values', () => {
    const { fill } = bodyTemplate('{"a":"{{maxTokens}}","b":"-{{model}}-","n":"{{nonce}}"}');
    expect(JSON.parse(fill({ messages: [], stream: false }))).toEqual({ a: null, b: '--', n: '' });
  });

  test('is JSON again whatever the prompt', () => {
    const { fill } = bodyTemplate('{"a":"{{prompt}}","b":"x{{prompt}}y","c":{{messages}}}');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (content) => {
        const messages = [{ role: 'user' as const, content }];
        expect(JSON.parse(fill({ messages, stream: true }))).toEqual({
          a: content,
          b: `x${content}y`,
          c: messages,
        });
      }),
    );
  });
});

describe('a body of any other text', () => {
  test('has its values as they are', () => {
    const { kind, fill } = bodyTemplate('prompt={{prompt}};max={{maxTokens}};{{messages}}');
    expect(kind).toBe('text');
    expect(fill(CHAT)).toBe(`prompt=brief\n\n${SPECIAL};max=64;${JSON.stringify(CHAT.messages)}`);
  });

  test('may be a placeholder and nothing else, or look like JSON and be none', () => {
    expect(bodyTemplate('{{prompt}}').fill(CHAT)).toBe(`brief\n\n${SPECIAL}`);
    expect(bodyTemplate('{{prompt}}').kind).toBe('text');
    expect(bodyTemplate('{ hero(name: "{{model}}") }').fill(CHAT)).toBe('{ hero(name: "m1") }');
    expect(bodyTemplate('"unended {{model}}').fill(CHAT)).toBe('"unended m1');
  });
});

describe('a query', () => {
  test('has its values percent-encoded', () => {
    const filled = queryTemplate('http://h/p?q={{prompt}}&n={{%20nonce%20}}&s={{ stream }}#x{{model}}').fill(
      CHAT,
    );
    const query = new URLSearchParams(filled);
    expect(query.get('q')).toBe(`brief\n\n${SPECIAL}`);
    expect([query.get('n'), query.get('s')]).toEqual(['n0nce123', 'true']);
    expect(filled).not.toContain('model');
  });
});

test('the placeholders of a request are those of what is sent', () => {
  const url = 'http://h/?q={{nonce}}';
  expect([...writtenPlaceholders({ url, body: '{"a":"{{prompt}}"}' })]).toEqual(['prompt', 'nonce']);
  expect([...writtenPlaceholders({ url, body: '{"a":"{{prompt}}"}', method: 'GET' })]).toEqual(['nonce']);
  expect(writtenPlaceholders({}).size).toBe(0);
});

test('an unknown placeholder is reported', () => {
  expect(unknownPlaceholders('{{promt}} {{prompt}} {{ max_tokens }} {{{}}} {{"a"}}')).toEqual([
    'promt',
    'max_tokens',
  ]);
});
