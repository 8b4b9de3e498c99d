import { describe, expect, test } from 'vitest';
import { METRICS } from '../../../src/metrics/definitions.ts';
import { prometheusReport } from '../../../src/report/formats/prometheus.ts';
import { abortedReport, failedReport, gate, gatedReport, nastyReport } from '../reports.ts';

const SERIES =
  /^([a-z_:][\w:]*)\{((?:[a-z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/i;

/** Reads the text as strictly as its format is defined: a family's lines together, its head before them, no series twice. */
function parse(text: string) {
  const families: Record<string, { type: string; help: string; lines: string[] }> = {};
  const seen = new Set<string>();
  let name = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const help = /^# HELP (\w+) (.+)$/.exec(line);
    const type = /^# TYPE (\w+) (gauge|summary)$/.exec(line);
    if (help) {
      name = help[1]!;
      expect(families).not.toHaveProperty(name);
      families[name] = { type: '', help: help[2]!, lines: [] };
    } else if (type) {
      expect(type[1]).toBe(name);
      families[name]!.type = type[2]!;
    } else {
      const [, series, labels] = SERIES.exec(line) ?? expect.fail(`not a series: ${line}`);
      expect(series!.replace(/_(sum|count)$/, '')).toBe(name.replace(/_(sum|count)$/, ''));
      expect(seen).not.toContain(`${series}{${labels}}`);
      seen.add(`${series}{${labels}}`);
      families[name]!.lines.push(line);
    }
  }
  return families;
}

const report = gatedReport();

describe('the exposition', () => {
  test.each([
    ['a normal run', report],
    ['an aborted run', abortedReport()],
    ['a failed run', failedReport()],
    ['the worst of names', nastyReport()],
    ['a gate written twice', { ...report, gates: [gate(), gate({ verdict: 'fail' })] }],
  ])('keeps the format: %s', (_name, one) => {
    const text = prometheusReport(one);
    expect(text.endsWith('\n')).toBe(true);
    const families = parse(text);
    for (const { type, lines } of Object.values(families)) {
      expect(type).not.toBe('');
      expect(lines).not.toEqual([]);
    }
  });

  test('times are summaries in seconds, with sum and count', () => {
    const { ttft } = report.cells[0]!.metrics;
    const labels = 'scenario="demo",target="flash",prompt="short",concurrency="1",mode="streaming"';
    const { type, lines } = parse(prometheusReport(report)).streambench_ttft_seconds!;
    expect(type).toBe('summary');
    const value = (start: string) =>
      Number(
        lines
          .find((line) => line.startsWith(start))
          ?.split(' ')
          .at(-1),
      );
    expect(value(`streambench_ttft_seconds{${labels},quantile="0.95"}`)).toBeCloseTo(ttft!.p95 / 1000, 9);
    expect(value(`streambench_ttft_seconds{${labels},quantile="1"}`)).toBeCloseTo(ttft!.max / 1000, 9);
    expect(value(`streambench_ttft_seconds_sum{${labels}}`)).toBeCloseTo((ttft!.mean * ttft!.n) / 1000, 6);
    expect(value(`streambench_ttft_seconds_count{${labels}}`)).toBe(ttft!.n);
  });

  test('every metric has a family with its base unit, and no two have the same', () => {
    const one = gatedReport({ prompts: ['short'], concurrency: [1] });
    const [some] = Object.values(one.cells[0]!.metrics).filter((summary) => summary !== null);
    for (const { name, unit } of METRICS) one.cells[0]!.metrics[name] = { ...some!, unit };
    const families = parse(prometheusReport(one));
    const summaries = Object.entries(families).filter(([, { type }]) => type === 'summary');
    expect(summaries).toHaveLength(METRICS.length);
    for (const [name] of summaries) expect(name).not.toMatch(/_ms\b|_ms_/);
    expect(families).toHaveProperty('streambench_stalled_seconds');
    expect(families).toHaveProperty('streambench_body_bytes');
  });

  test('quotes, backslashes and line feeds in labels are escaped', () => {
    expect(prometheusReport(nastyReport())).toContain('target="a\\"b\'<c>&]]>\\n::error::x');
  });

  test('a gate that was not met, or had no data, is 0; so is the count of good answers of a failed cell', () => {
    const { lines } = parse(prometheusReport(report)).streambench_gate_passed!;
    expect(lines.map((line) => line.at(-1))).toEqual(['1', '0', '0']);
    const failed = parse(prometheusReport(failedReport()));
    expect(failed.streambench_requests!.lines[0]).toMatch(/outcome="ok"\} 0$/);
    expect(failed).not.toHaveProperty('streambench_ttft_seconds');
    expect(parse(prometheusReport(abortedReport())).streambench_run_aborted!.lines[0]).toMatch(/ 1$/);
  });
});
