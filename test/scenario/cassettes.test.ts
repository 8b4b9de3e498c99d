import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startBackends, unknownModels } from '../../src/bench/backends.ts';
import { writeCassette } from '../../src/cassettes/cassette.ts';
import { loadCassette } from '../../src/scenario/cassettes.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { cassette, exchange } from '../cassettes/sample.ts';
import { scratch } from '../support/program.ts';

const folder = scratch();
afterAll(() => folder.dispose());
const path = (name: string) => join(folder.path, name);
const whole = writeCassette(cassette(exchange()));
writeFileSync(path('hello.cassette'), whole);
writeFileSync(path('damaged.cassette'), whole.slice(0, -20));

/** A scenario whose simulator has these lines as settings. */
function scenario(...lines: readonly string[]) {
  const head = [
    ...['version: 1', 'name: recorded', 'targets: [{ name: sim, provider: simulator, model: hello }]'],
    ...['prompts: [{ name: p, text: hi }]', 'simulator:'],
  ];
  writeFileSync(path('scenario.yaml'), `${[...head, ...lines.map((line) => `  ${line}`)].join('\n')}\n`);
  return () => loadScenario(path('scenario.yaml'), { env: {} });
}

test('a scenario uses a cassette as a profile, by its name', async () => {
  const loaded = scenario('cassettes: { hello: hello.cassette }')();
  expect(loaded.files).toEqual(['hello.cassette']);
  expect(unknownModels(loaded)).toEqual([]);
  const backends = await startBackends(loaded);
  try {
    const body = JSON.stringify({ model: 'hello', messages: [{ role: 'user', content: 'hi' }] });
    const response = await fetch(`${backends.simulatorUrl}/v1/chat/completions`, { method: 'POST', body });
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
    expect(choices[0]!.message.content).toBe('Hello');
  } finally {
    await backends.close();
  }
});

test('another cassette makes another scenario, so that runs are not compared', () => {
  const load = scenario('cassettes: { hello: hello.cassette }');
  const before = load().hash;
  writeFileSync(path('hello.cassette'), writeCassette(cassette(exchange(), exchange())));
  expect(load().hash).not.toBe(before);
  writeFileSync(path('hello.cassette'), whole);
  expect(load().hash).toBe(before);
});

test.each([
  [
    'cassettes: { hello: damaged.cassette }',
    '6:23: damaged.cassette:7: the cassette was cut off here\n  record it again',
  ],
  ['cassettes: { hello: helo.cassette }', 'cassette not found: '],
  ['cassettes: { hello: scenario.yaml }', '6:23: scenario.yaml:1: this file is not a cassette'],
  ['cassettes: { hello: ../x.cassette }', "is not in the scenario's folder"],
  [
    'cassettes: { hello: hello.cassette }\n  profiles: { hello: { ttft: 1s, gap: 1ms, tokens: 5 } }',
    '6:23: simulator.cassettes.hello: there is also a profile "hello"',
  ],
])('%s is refused with its place', (line, message) => {
  expect(scenario(line)).toThrow(message);
});

test('a file on the command line is named in the error', () => {
  expect(() => loadCassette(path('none.cassette'))).toThrow(
    /cassette not found: .*none\.cassette\n {2}record one/,
  );
  expect(() => loadCassette(folder.path)).toThrow('is a folder');
  expect(() => loadCassette(path('damaged.cassette'))).toThrow(
    `${path('damaged.cassette')}:7: the cassette was cut`,
  );
});
