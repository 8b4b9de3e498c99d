import { describe, expect, test } from 'vitest';
import { createAggregator } from '../../../src/metrics/aggregate.ts';
import type { CellReport, Report, UniqueInfo } from '../../../src/model/report.ts';
import { annotationsReport } from '../../../src/report/formats/annotations.ts';
import { jsonReport } from '../../../src/report/formats/json.ts';
import { markdownReport } from '../../../src/report/formats/markdown.ts';
import { terminalReport } from '../../../src/report/terminal/terminal.ts';
import { cacheNotes, cacheWarnings } from '../../../src/report/wording/cache.ts';
import { manifest, record } from '../../metrics/records.ts';
import { gatedReport } from '../reports.ts';

const UNIQUE: UniqueInfo = { salt: 'ab', prefixChars: 10, same: [] };

/** A cell with `hits` requests of which 1984 of 2000 tokens were cached, in 61 ms, and `misses` in 1000 ms. */
function cell(hits: number, misses: number): CellReport {
  const { cells, ...rest } = manifest();
  const aggregator = createAggregator({ ...rest, cells: cells.slice(0, 1) });
  const base = record();
  const add = (ttftMs: number, cachedInput: number) => {
    const firstToken = base.marks.sent! + ttftMs;
    const marks = {
      ...base.marks,
      firstToken,
      firstAnswer: firstToken,
      lastToken: firstToken + 9,
      end: firstToken + 9,
    };
    aggregator.add(record({ marks, tokens: { ...base.tokens, input: 2000, cachedInput } }));
  };
  for (let i = 0; i < hits; i++) add(61, 1984);
  for (let i = 0; i < misses; i++) add(1000, 0);
  return aggregator.cells()[0]!;
}

function report(unique: UniqueInfo | undefined, ...cells: CellReport[]): Report {
  const base = gatedReport();
  return { ...base, cells, run: { ...base.run, unique } };
}

const WHERE = { target: 'flash', prompt: 'short' };
const ASKED: UniqueInfo = { ...UNIQUE, same: [{ ...WHERE, why: 'unique: false', asked: true }] };
const FIXED: UniqueInfo = {
  ...UNIQUE,
  same: [{ ...WHERE, why: 'the body has no {{prompt}}, {{messages}} or {{nonce}}', asked: false }],
};
const FIGURES =
  '74 % of the input tokens came from a cache (5952 of 8000). TTFT partly measures the cache. TTFT p50: 61 ms of 3 hits, 1000 ms of 1 miss.';

describe('much from a cache', () => {
  test('is a warning where it was not asked for, and says what it means', () => {
    const [warning, ...others] = cacheWarnings(report(UNIQUE, cell(3, 1)));
    expect(others).toEqual([]);
    expect(warning).toContain(FIGURES.replace('8000).', '8000), although every prompt was unique.'));
    expect(warning).toMatch(/^flash · short · 4 streams · streaming: .* put \{\{nonce\}\} there\.$/);
    expect(cacheWarnings(report(undefined, cell(3, 1)))[0]).toContain(FIGURES);
    expect(cacheWarnings(report(FIXED, cell(3, 1)))[0]).toContain(
      '(5952 of 8000) (the body has no {{prompt}}, {{messages}} or {{nonce}}).',
    );
  });

  test('is told without a warning where it was asked for', () => {
    expect(cacheWarnings(report(ASKED, cell(3, 1)))).toEqual([]);
    expect(cacheNotes(report(ASKED, cell(3, 1)))).toEqual([
      'Not unique, as configured (unique: false): all requests of prompt short are identical.',
      'flash · short · 4 streams · streaming: 74 % of the input tokens came from a cache (5952 of 8000). TTFT p50: 61 ms of 3 hits, 1000 ms of 1 miss.',
    ]);
  });

  test('is in every form of the report for people, and in JSON', () => {
    const warned = report(UNIQUE, cell(3, 1));
    const told = [
      terminalReport(warned, { width: 400, color: 0 }),
      markdownReport(warned),
      annotationsReport(warned),
    ];
    for (const text of told) {
      expect(text).toMatch(/prefix cache hits/i);
      expect(text).toContain('TTFT p50: 61 ms of 3 hits, 1000 ms of 1 miss.');
    }
    expect(told[0]).toMatch(/│ +cached │/);
    expect(told[0]).toMatch(/│ +74 % │/);
    const json = JSON.parse(jsonReport(warned)) as Report;
    expect(json.run.unique).toEqual(UNIQUE);
    expect(json.cells[0]!.cache).toMatchObject({ share: 0.744, hit: { requests: 3 }, miss: { requests: 1 } });
  });
});

describe('little or nothing from a cache', () => {
  test('is no warning, and without any the tables have no column for it', () => {
    expect(cacheWarnings(report(UNIQUE, cell(1, 20)))).toEqual([]);
    expect(cacheNotes(report(UNIQUE, cell(1, 20)))[1]).toContain(
      '4.7 % of the input tokens came from a cache',
    );
    const none = report(UNIQUE, cell(0, 4));
    expect(cacheNotes(none)).toEqual([
      'Unique prompts: each request starts with its own nonce (10 characters), so that no prefix cache can answer.',
    ]);
    expect(terminalReport(none, { width: 400, color: 0 })).not.toContain('cached');
  });

  test('is told nothing of in a run of an older version', () => {
    expect(cacheNotes(report(undefined, cell(0, 4)))).toEqual([]);
    const { cache: _, ...old } = cell(0, 4);
    expect(cacheWarnings(report(undefined, old))).toEqual([]);
  });
});
