import { expect, test } from 'vitest';
import { checkGates, gateFindings } from '../../../src/bench/run/gates.ts';
import { load, problems, userError, yaml } from '../../scenario/helpers.ts';

const all = (rest: string, text = yaml()) => problems(text + rest, { checkGates: gateFindings });
const messages = (rest: string, text = yaml()) => all(rest, text).map((line) => line.split(' | ')[0]);

test('all mistakes are told at once, in the order of the file', () => {
  const rest = `thresholds:
  - tftt.p95 < 1s
  - ttft.p95{target=lokal} < 1s
  - 7
objectives: [ttft << 3]
load: { concurrency: x }
stall: 5
`;
  const text = yaml().replace('model: m', 'modle: m\n    ca: missing.pem');
  expect(messages(rest, text)).toEqual([
    '7:5 unknown key targets[0].modle',
    expect.stringMatching(/^8:9 file not found: .*missing\.pem$/),
    expect.stringMatching(/^12:5 threshold "tftt.p95 < 1s" at column 1: unknown metric "tftt"/),
    expect.stringMatching(/^13:5 threshold "ttft.p95\{target=lokal\} < 1s" at column 17: no target "lokal"/),
    '14:5 thresholds[2]: expected an expression such as "ttft.p95 < 2s", got 7',
    expect.stringMatching(/^15:14 objective "ttft << 3" at column 7/),
    expect.stringMatching(/^16:22 load\.concurrency: expected a whole number/),
    expect.stringMatching(/^17:8 stall: expected a duration/),
  ]);
});

test.each([
  [
    'a label of a load that is wrong',
    'thresholds: ["ttft.p95{concurrency=4} < 1s"]\nload: { concurrency: x }\n',
  ],
  [
    'a label of a target without a name',
    'thresholds: ["ttft.p95{prompt=q} < 1s"]\nprompts: [{ text: hi }]\n',
  ],
  [
    'a mode where the modes are wrong',
    'thresholds: ["ttft.p95{mode=non-streaming} < 1s"]\nmodes: [streeming]\n',
  ],
  ['goodput of an objective that cannot be read', 'thresholds: ["goodput > 1"]\nobjectives: ["ttft <"]\n'],
])('%s is not held against what is not known', (_, rest) => {
  const text =
    rest.startsWith('thresholds') && rest.includes('prompts')
      ? yaml().replace(/prompts:[\s\S]*/, '')
      : yaml();
  expect(messages(rest, text).filter((line) => line!.includes('threshold "'))).toEqual([]);
});

test('a good document has no findings, and neither has anything that is no document', () => {
  const good = 'thresholds: ["ttft.p95{target=local} < 1s", "goodput > 1"]\nobjectives: ["ttft < 1s"]\n';
  expect(() => load(yaml(good), { checkGates: gateFindings })).not.toThrow();
  for (const document of [undefined, null, 7, 'x', [], { thresholds: 'x', targets: 3 }])
    expect(gateFindings(document)).toEqual([]);
});

test('a scenario that was read without them is checked by itself', () => {
  const loaded = load(yaml('thresholds: ["ttft.p95{target=lokal} < 1s"]\nobjectives: ["tftt < 1s"]\n'));
  expect(userError(() => checkGates(loaded)).problems.map(({ place }) => place?.line)).toEqual([11, 10]);
});

test('a secret in a threshold is not shown', () => {
  const shown = all('thresholds: ["ttft.p95{target=${env:CANARY}} < 1s"]\n').join('\n');
  expect(shown).toContain('CANARY is not set');
  const error = userError(() =>
    load(yaml('thresholds: ["ttft.p95{target=${env:CANARY}} < 1s"]\n'), {
      env: { CANARY: 'sk-canary-value' },
      checkGates: gateFindings,
    }),
  );
  expect(error.message).not.toContain('sk-canary-value');
});
