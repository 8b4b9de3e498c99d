import { describe, expect, test } from 'vitest';
import { argumentSecrets, environmentSecrets, pastedSecrets } from '../../src/cli/own-secrets.ts';

const KEY = 'Xq9fT2mW7pLz';

describe('the words of a command', () => {
  test.each([
    [['--api-key', KEY]],
    [[`--api-key=${KEY}`]],
    [['--api-key-a', KEY]],
    [['--jwt-secret', KEY]],
    [['-H', `authorization: ${KEY}`]],
    [[`-Hx-api-key:${KEY}`]],
    [['--header-b', `cookie: ${KEY}`]],
    [['-H', KEY]],
    [['-e', `MY_KEY=${KEY}`]],
    [[`-eMY_TOKEN=${KEY}`]],
    [['--env', KEY]],
    [['--set', `targets.0.apiKey=${KEY}`]],
    [['probe', `http://user:${KEY}@host/x`]],
    [['--proxy', `http://user:${KEY}@host`]],
    [[`--target=http://host/x?token=${KEY}`]],
  ])('%j hold a secret', (words) => {
    expect(argumentSecrets(words).map(({ value }) => value)).toContain(KEY);
  });

  test.each([
    [['run', 'scenario.yaml']],
    [['--set', 'load.rounds=12345678']],
    [['-H', 'accept: text/plain']],
    [['-e', 'MODEL=glm-4-flash']],
  ])('%j hold none', (words) => expect(argumentSecrets(words)).toEqual([]));
});

test('the environment holds the keys that the program reads, and others as a whole', () => {
  const env = {
    OPENAI_API_KEY: KEY,
    MY_TOKEN: 'other-token',
    HTTPS_PROXY: 'http://u:proxy-word@h',
    HOME: '/home/me',
    EMPTY_KEY: '',
  };
  expect(environmentSecrets(env)).toEqual([
    { name: '${env:OPENAI_API_KEY}', value: KEY },
    { name: '${env:MY_TOKEN}', value: 'other-token', whole: true },
    { name: '${env:HTTPS_PROXY}', value: 'proxy-word' },
    { name: '${env:HTTPS_PROXY}', value: 'u:proxy-word' },
  ]);
});

test('headers of the OpenTelemetry exporters are secret, encoded and decoded', () => {
  const env = { OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${KEY},x-team=blue-whale` };
  expect(environmentSecrets(env).map(({ value }) => value)).toEqual([
    `Bearer%20${KEY}`,
    `Bearer ${KEY}`,
    KEY,
    'blue-whale',
  ]);
});

test('the keys in a curl command are known before any command runs', async () => {
  const words = ['run', "curl 'http://h/?token=query-token' -H 'x-key: header-key' -u me:my-password"];
  const values = (await pastedSecrets(words)).map(({ value }) => value);
  expect(values).toEqual(expect.arrayContaining([words[1], 'query-token', 'header-key']));
  expect(await pastedSecrets(['run', 'curly.yaml'])).toEqual([]);
  expect((await pastedSecrets(["curl 'open"])).map(({ value }) => value)).toEqual(["curl 'open"]);
});
