import { expect, test } from 'vitest';
import { evaluateThresholds, parseThreshold } from '../../../src/analysis/thresholds/thresholds.ts';
import { exitCodeOf } from '../../../src/cli/exit-code.ts';
import type { ClientVerdict } from '../../../src/model/load-report.ts';
import type { CellReport, Report } from '../../../src/model/report.ts';
import { REPORTERS } from '../../../src/report/formats/index.ts';
import { terminalReport } from '../../../src/report/terminal/terminal.ts';
import { gatedReport } from '../reports.ts';
import { sampleReport } from '../sample.ts';

/** A run whose one streaming cell is changed. */
function changed(change: (cell: CellReport) => void): Report {
  const report = structuredClone(
    sampleReport({ prompts: ['short'], concurrency: [16], modes: ['streaming'] }),
  );
  change(report.cells[0]!);
  // The sample's plan has more cells than this one.
  const { abortReason: _, ...run } = report.run;
  return { ...report, run: { ...run, aborted: false } };
}

const below = () =>
  changed((cell) => {
    cell.reached = { mean: 5.25, max: 8, met: false };
    cell.throughput.basis = 'below';
  });

function late(verdict: ClientVerdict): Report {
  const { client } = gatedReport().cells[0]!;
  const report = changed((cell) => {
    cell.client = {
      ...client!,
      verdict,
      metrics: {
        ttft: { verdict, lateMs: 26, limitMs: 10, utilization: 0.9 },
        total: { verdict: 'ok', lateMs: 1, limitMs: 10, utilization: 0.1 },
      },
    };
  });
  return {
    ...report,
    gates: evaluateThresholds(
      [parseThreshold('ttft.p95 < 10s'), parseThreshold('total.p95 < 10s')],
      report.cells,
    ),
  };
}

const terminal = (report: Report) => terminalReport(report, { width: 120, color: 0 });
const flat = (text: string) => text.replaceAll(/\s+/g, ' ');

test('a load that was not reached is told in every format', () => {
  const report = below();
  const sentence =
    'Load level not reached: flash · short · 16 streams · streaming (at most 8 open streams, 5.3 on average).';
  expect(terminal(report)).toContain('│ 8 of 16 │');
  expect(flat(terminal(report))).toContain(sentence);
  expect(REPORTERS.markdown(report)).toContain('| 8 of 16 |');
  expect(REPORTERS.markdown(report)).toContain(sentence);
  expect(REPORTERS.csv(report)).toContain(',5.25,8,false,');
  expect(REPORTERS.junit(report)).toContain(sentence);
  expect(REPORTERS.annotations(report)).toContain('load level not reached::');
  expect(REPORTERS.prometheus(report)).toMatch(/streambench_load_reached\{[^}]*\} 0\n/);
  expect(REPORTERS.prometheus(report)).toMatch(/streambench_load_streams\{[^}]*stat="max"\} 8\n/);
  expect(JSON.parse(REPORTERS.json(report)).cells[0].reached).toEqual({ mean: 5.25, max: 8, met: false });
});

test('streams that were open on average only are told by their mean', () => {
  const report = changed((cell) => {
    cell.reached = { mean: 9.4, max: 16, met: false };
  });
  expect(terminal(report)).toContain('│ 9.4 of 16 │');
});

test('a load that was reached is the number alone', () => {
  const report = changed(() => {});
  expect(terminal(report)).toContain('│      16 │');
  expect(terminal(report)).not.toContain('not reached');
});

test('a figure that the client was late for is marked in every format, and others are not', () => {
  const report = late('strained');
  const [ttft, total] = [report.cells[0]!.metrics.ttft!, report.cells[0]!.metrics.total!];
  const pair = ({ p50, p95 }: typeof ttft) => `${Math.round(p50)} / ${Math.round(p95)} ms`;
  expect(terminal(report)).toContain(`${pair(ttft)}*`);
  expect(terminal(report)).toContain(`${pair(total)} `);
  expect(flat(terminal(report))).toContain(
    '* Affected by client lateness: the p99 may be up to 26 ms too high.',
  );
  expect(REPORTERS.markdown(report)).toContain(`${pair(ttft)}\\*`);
  const row = (name: string) =>
    REPORTERS.csv(report)
      .split('\r\n')
      .find((line) => line.includes(`,${name},`));
  expect(row('ttft')).toMatch(/,strained,26,,,,,$/);
  expect(row('total')).toMatch(/,ok,1,,,,,$/);
  expect(REPORTERS.junit(report)).toContain('the client was up to 26 ms late (p99) in this cell');
  expect(REPORTERS.prometheus(report)).toMatch(/streambench_client_marked\{[^}]*metric="ttft"\} 1\n/);
  expect(REPORTERS.prometheus(report)).toMatch(
    /streambench_client_late_seconds\{[^}]*metric="ttft"\} 0\.026\n/,
  );
});

test.each<[string, Report, number, number]>([
  ['a gate on a marked figure', late('strained'), 0, 6],
  ['a client that kept up', late('ok'), 0, 0],
  ['a load that was not reached', below(), 0, 6],
])('%s: exit code without and with --strict', (_name, report, without, strict) => {
  expect(exitCodeOf(report, { strict: false })).toBe(without);
  expect(exitCodeOf(report, { strict: true })).toBe(strict);
});

test('a gate on a figure that is not marked is not', () => {
  expect(late('strained').gates.map(({ clientLate = false, verdict }) => [verdict, clientLate])).toEqual([
    ['pass', true],
    ['pass', false],
  ]);
});

test('what throughput was counted over is told where it is little or another rate', () => {
  const held = changed((cell) => {
    cell.throughput = { ...cell.throughput, basis: 'full', heldShare: 0.27 };
  });
  expect(flat(terminal(held))).toContain('All streams were open for only 27 % of a cell');
  const behind = changed((cell) => {
    cell.rate = 50;
    cell.throughput = { ...cell.throughput, basis: 'departures', requestsPerSecond: 30 };
  });
  expect(flat(terminal(behind))).toContain(
    'The server did not keep up with 50/s at flash · short · 50 requests/s · streaming: it answered 30/s.',
  );
});

test('requests that were cut at the end of a window are reported in every format, and are not failures', () => {
  const report = changed((cell) => {
    cell.outcomes = { ok: 38, cut: 2 };
    cell.failures = [];
  });
  const sentence =
    'Cut at the end of their window, after the grace: flash · short · 16 streams · streaming (2 of 40).';
  expect(flat(terminal(report))).toContain(sentence);
  expect(REPORTERS.markdown(report)).toContain(sentence);
  expect(REPORTERS.junit(report)).toContain(sentence);
  expect(flat(terminal(report))).not.toMatch(/\bfailed \(/);
  const [gate] = evaluateThresholds([parseThreshold('errors.rate == 0%')], report.cells);
  expect(gate).toMatchObject({ verdict: 'pass', actual: 0 });
});

test('a cell of which everything was cut is no data', () => {
  const report = changed((cell) => {
    cell.outcomes = { cut: 4 };
    cell.failures = [];
    cell.metrics = {};
    cell.streaming = null;
  });
  const [gate] = evaluateThresholds([parseThreshold('errors.rate == 0%')], report.cells);
  expect(gate?.verdict).toBe('no-data');
  expect(exitCodeOf(report, { strict: false })).toBe(7);
  expect(terminal(report)).toContain('cut at the end of the window');
});

test('stages are named in tables, and by their label in thresholds and series', () => {
  const report = changed((cell) => {
    cell.stage = 'spike';
    cell.rate = 50;
    cell.from = 5;
  });
  expect(terminal(report)).toContain('spike 5-50/s');
  expect(REPORTERS.prometheus(report)).toContain('stage="spike"');
  expect(REPORTERS.csv(report)).toMatch(/,spike,5,,,\r\n/);
  const evaluated = (stage: string) =>
    evaluateThresholds([parseThreshold(`ttft.p50{stage=${stage}} < 10s`)], report.cells)[0];
  expect(evaluated('spike')).toMatchObject({ verdict: 'pass', cell: { stage: 'spike', from: 5, rate: 50 } });
  expect(evaluated('other')?.verdict).toBe('no-data');
});
