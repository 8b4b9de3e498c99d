import { describe, expect, test } from 'vitest';
import { annotationsReport } from '../../../src/report/formats/annotations.ts';
import {
  abortedReport,
  comparedReport,
  failedReport,
  GATES,
  gatedReport,
  incomparableReport,
  manyCells,
  nastyReport,
} from '../reports.ts';

const COMMAND = /^::(error|warning|notice) title=([^:,\n\r]*)::([^\n\r]*)$/;

function commands(text: string) {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, kind, title, message] = COMMAND.exec(line)!;
      return { kind: kind!, title: decoded(title!), message: decoded(message!) };
    });
}

function decoded(text: string): string {
  expect(text).not.toMatch(/%(?!25|0A|0D|3A|2C)/);
  return decodeURIComponent(text);
}

const kinds = (text: string) => commands(text).map(({ kind }) => kind);

describe('annotations', () => {
  test('an error for each gate that did not pass, warnings for the rest, a notice with the result', () => {
    const all = commands(annotationsReport(gatedReport()));
    expect(all.map(({ kind, title }) => `${kind} ${title}`)).toEqual([
      'error demo: threshold failed: streaming.verdict == streaming',
      'error demo: threshold without data: connect.p50 < 5ms',
      'warning demo: failures not covered by a threshold',
      'warning demo: streaming verdict: replayed',
      'warning demo: 8 requests failed',
      'warning demo: client could not keep up',
      'notice demo: result',
    ]);
    expect(all.at(-1)!.message).toMatch(
      /^1 of 3 thresholds failed, 1 had no data; 320 requests in 8 cells, 8 of/,
    );
    expect(all[2]!.message).toContain('add "errors.rate < 1%"');
    expect(all[4]!.message).toContain('\nflash · short · 1 stream · streaming: 2 of 40\n');
  });

  test('a good run has its notice and nothing else', () => {
    const report = gatedReport({ modes: ['non-streaming'] });
    report.gates = [GATES[0]!];
    expect(kinds(annotationsReport(report))).toEqual(['notice']);
    expect(annotationsReport(report)).toContain('the threshold passed; 160 requests in 4 cells, none failed');
  });

  test('a run that broke off, and one without an answer, are errors without any gate', () => {
    expect(kinds(annotationsReport(abortedReport()))[0]).toBe('error');
    expect(commands(annotationsReport(failedReport()))[0]).toMatchObject({
      kind: 'error',
      message: 'None of 320 requests succeeded.',
    });
  });

  test('an error for each figure that became worse than the baseline, or a warning that nothing is known', () => {
    const [worse, cell, ...rest] = commands(annotationsReport(comparedReport()));
    expect(cell!.message).toMatch(/regression\nflash · short · 1 stream · streaming$/);
    expect(worse).toMatchObject({ kind: 'error', title: 'demo: regression check: ttft.p95: regression' });
    expect(worse!.message).toMatch(/regression\nall cells$/);
    expect(rest.map(({ kind }) => kind)).not.toContain('error');
    expect(rest.at(-1)!.message).toMatch(
      /^the threshold passed; regression check against baseline "main": 2 of 6 figures regressed; 320/,
    );

    const open = commands(
      annotationsReport(comparedReport({ verdict: 'inconclusive', summaries: [], cells: [] })),
    );
    expect(open.map(({ kind, title }) => `${kind} ${title}`)).toContain(
      'warning demo: regression check inconclusive',
    );
    expect(open.map(({ kind }) => kind)).not.toContain('error');
    const other = commands(annotationsReport(incomparableReport()));
    expect(other[0]).toMatchObject({ kind: 'error', title: 'demo: regression check without result' });
  });

  test('at most ten of a kind, the last of which counts the others', () => {
    const all = commands(annotationsReport(manyCells(500)));
    const errors = all.filter(({ kind }) => kind === 'error');
    expect(errors).toHaveLength(10);
    expect(errors[9]).toMatchObject({ title: 'demo: and 492 more' });
    expect(errors[9]!.message).toContain('threshold failed: ttft.p95{prompt="prompt 9"} < 1ms');
    expect(all.filter(({ kind }) => kind === 'warning')).toHaveLength(10);
    for (const { message } of all) expect(message.length).toBeLessThan(4096);
  });

  test('nothing that a name holds ends a command or begins another', () => {
    const text = annotationsReport(nastyReport());
    expect(text).toContain('a"b\'<c>&]]> %3A%3Aerror%3A%3Ax %250A');
    // The expression of each command takes the whole line, or the reading of it has failed here.
    expect(commands(text).every(({ title }) => title.includes('::error::x %0A'))).toBe(true);
  });
});
