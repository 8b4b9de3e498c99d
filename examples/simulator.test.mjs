// A vitest test that uses the simulator as the provider: deterministic answers, delays and failures, no network.
//
//     npx vitest run --root examples

import { createClient } from 'streambench';
import { createSimulator } from 'streambench/simulator';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** What your application would export. */
const title = async (/** @type {import('streambench').StreamClient} */ client) => {
  const { text, observation } = await client.complete({ prompt: 'A title, please.', maxTokens: 4 });
  return observation.outcome.kind === 'ok' ? text : 'Untitled';
};

const simulator = createSimulator({
  seed: 1,
  profiles: {
    good: { ttft: { shape: 'constant', mean: 0, sd: 0 }, gap: { shape: 'constant', mean: 0, sd: 0 } },
    failing: { error: { rate: 1, kind: 'http_500' } },
  },
});
/** @type {string} */
let baseUrl;
beforeAll(async () => {
  baseUrl = `${(await simulator.listen()).url}/v1`;
});
afterAll(() => simulator.close());

test('the title is the answer of the model', async () => {
  const client = createClient({ provider: 'openai', baseUrl, model: 'good' });
  expect(await title(client)).toMatch(/^\w+/);
  client.close();
});

test('a failing model gives the default title', async () => {
  const client = createClient({ provider: 'openai', baseUrl, model: 'failing' });
  expect(await title(client)).toBe('Untitled');
  client.close();
  expect(simulator.log.at(-1)).toMatchObject({ status: 500 });
});
