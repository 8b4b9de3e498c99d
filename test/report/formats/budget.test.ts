import { describe, expect, test } from 'vitest';
import { REPORTERS } from '../../../src/report/formats/index.ts';
import { fitSections } from '../../../src/report/formats/markdown.ts';
import { manyCells } from '../reports.ts';

const rows = (count: number, text = 'row') => Array.from({ length: count }, (_, i) => `${text} ${i}`);

describe('a text within its budget', () => {
  test('is whole where there is room', () => {
    const parts = [
      { head: '', rows: ['title'] },
      { head: 'head', rows: rows(2) },
    ];
    expect(fitSections(parts, 1000)).toBe('title\n\nhead\nrow 0\nrow 1\n\n');
  });

  test('loses the last rows of its long parts, keeps the short ones, and says how many', () => {
    const text = fitSections(
      [
        { head: '', rows: ['title'] },
        { head: 'failures', rows: rows(2000, 'bad') },
        { head: 'results', rows: rows(2000, 'good') },
        { head: '', rows: ['foot'] },
      ],
      10_000,
    );
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(10_000);
    expect(text).toMatch(/^title\n\nfailures\nbad 0\n/);
    expect(text).toContain('results\ngood 0\n');
    expect(text.endsWith('foot\n\n')).toBe(true);
    const [, left, all] = /\*([\d\u202f]+) of ([\d\u202f]+) lines omitted/.exec(text)!;
    expect(Number(left) + [...text.matchAll(/^bad/gm)].length).toBe(2000);
    expect(all).toBe('2000');
  });

  test('leaves room for what follows, and no more', () => {
    const parts = [
      { head: 'results', rows: rows(2000) },
      { head: '', rows: ['foot'] },
    ];
    expect(Buffer.byteLength(fitSections(parts, 10_000))).toBeGreaterThan(9_500);
  });

  test('counts bytes, not characters', () => {
    expect(Buffer.byteLength(fitSections([{ head: '', rows: rows(500, '请介绍') }], 3000))).toBeLessThan(
      3000,
    );
  });
});

test('a run of 5,000 cells fits into a summary of a job, with something of every part', () => {
  const text = REPORTERS.markdown(manyCells(5000));
  expect(Buffer.byteLength(text)).toBeLessThan(2 ** 20);
  // A waste of the room would be as wrong as too much.
  expect(Buffer.byteLength(text)).toBeGreaterThan(2 ** 19);
  for (const head of ['### Thresholds', '### Failures', '### Streaming', '### Streaming problems'])
    expect(text).toContain(head);
  expect(text).toContain('lines omitted to stay below 1.0 MB');
  expect(text).toContain('<sub>run ');
  expect(text.indexOf('### Failures')).toBeLessThan(text.indexOf('### Streaming'));
});
