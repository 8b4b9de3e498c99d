import { describe, expect, test } from 'vitest';
import { VERDICT_KINDS } from '../../src/analysis/streaming/streaming-verdict.ts';
import { parseThreshold } from '../../src/analysis/thresholds/threshold-parser.ts';
import { helpCommand, TOPIC_NAMES } from '../../src/cli/help.ts';
import { THRESHOLD_EXAMPLES, topicText } from '../../src/cli/topics.ts';
import { EXIT, EXIT_ORDER } from '../../src/model/errors.ts';
import { runCommand } from './in-process.ts';

describe.each(TOPIC_NAMES)('help %s', (topic) => {
  test.each([60, 80, 200])('fits %d columns', (width) => {
    const lines = topicText(topic, width).split('\n');
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.filter((line) => line.length > width)).toEqual([]);
  });
});

test('the examples of thresholds are thresholds', () => {
  for (const example of THRESHOLD_EXAMPLES) expect(() => parseThreshold(example)).not.toThrow();
});

test('every name under "metrics" and "figures" can be written in a threshold', () => {
  const text = topicText('thresholds', 100).replaceAll(/\n {4,}/g, ' ');
  const [, metrics = ''] = /^ {2}metrics +(.*?) \(/m.exec(text) ?? [];
  const [, figures = ''] = /^ {2}figures +(.*)$/m.exec(text) ?? [];
  const names = [...metrics.split(', ').map((name) => `${name}.p95`), ...figures.split(', ')];
  expect(names.length).toBeGreaterThan(30);
  for (const name of names) {
    const known = ['ms', '%', '/s', '', ' streaming'].some((unit) => {
      try {
        parseThreshold(unit === ' streaming' ? `${name} == streaming` : `${name} >= 0${unit}`);
        return true;
      } catch {
        return false;
      }
    });
    expect(known, name).toBe(true);
  }
});

test('every exit code and every verdict is explained', () => {
  const codes = topicText('exit-codes', 80);
  for (const code of Object.values(EXIT)) expect(codes).toMatch(new RegExp(`^  ${code} `, 'm'));
  expect(new Set(EXIT_ORDER).size).toBe(EXIT_ORDER.length);
  for (const verdict of VERDICT_KINDS)
    expect(topicText('verdicts', 80)).toMatch(new RegExp(`^  ${verdict} `, 'm'));
});

test('a misspelt topic is suggested', async () => {
  await expect(runCommand(helpCommand, ['help', 'treshold'])).rejects.toThrow(/did you mean "thresholds"/);
  expect((await runCommand(helpCommand, ['help', 'Exit-Codes'])).stdout).toContain('unreachable');
});
