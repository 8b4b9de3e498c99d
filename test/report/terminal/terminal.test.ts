import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/model/report.ts';
import { terminalReport } from '../../../src/report/terminal/terminal.ts';
import { displayWidth } from '../../../src/report/text-width.ts';
import { sampleReport } from '../sample.ts';

const report = sampleReport();
const pair = sampleReport({ targets: ['glm-4-flash', 'glm-4.6'], prompts: ['short', 'broken'] });

function plain(one: Report, width: number): string {
  return terminalReport(one, { width, color: 0 });
}

function changed(change: (copy: Report) => void, one: Report = report): Report {
  const copy = structuredClone(one);
  change(copy);
  return copy;
}

describe('golden', () => {
  test.each([60, 80, 120])('one target at %d columns', async (width) => {
    await expect(plain(report, width)).toMatchFileSnapshot(`../fixtures/terminal-${width}.txt`);
  });

  test('two targets in one table', async () => {
    await expect(plain(pair, 120)).toMatchFileSnapshot('../fixtures/terminal-targets-120.txt');
  });
});

describe('layout', () => {
  test('no line is wider than the terminal, and borders stay whole', () => {
    for (const one of [report, pair]) {
      for (let width = 40; width <= 160; width += 3) {
        const lines = plain(one, width).split('\n');
        expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
        // Each line of a table begins and ends with a border, and all lines of a table are equally wide.
        let tableWidth = 0;
        for (const line of lines.filter((text) => /^[╭│├╰]/.test(text))) {
          if (line.startsWith('╭')) tableWidth = displayWidth(line);
          expect(line).toMatch(/[╮│┤╯]$/);
          expect(displayWidth(line)).toBe(tableWidth);
        }
      }
    }
  });

  test('a wide terminal shows every column, a narrow one says what it leaves out', () => {
    const wide = plain(report, 200);
    for (const title of ['TTFB', 'TTFT', 'gap', 'chunk/s', 'tok/s', 'total', 'req/s']) {
      expect(wide).toContain(title);
    }
    expect(wide).not.toContain('not shown');
    expect(plain(report, 60)).toMatch(/not shown at this width: TTFB, gap, chunk\/s/);
    expect(plain(report, 40)).toContain('TTFT');
  });

  test('columns that mean nothing for whole answers are not there', () => {
    const whole = plain(sampleReport({ modes: ['non-streaming'] }), 200);
    expect(whole).not.toMatch(/│ +(gap|chunk\/s|tok\/s) │/);
    expect(whole).not.toContain('streaming / non-streaming');
  });
});

describe('contents', () => {
  test('where nothing was ok there is a dash with the failure, never 0', () => {
    const row = plain(report, 120)
      .split('\n')
      .find((line) => line.startsWith('│ broken'));
    expect(row).toMatch(/│ +0\/40 │ — http_error: the service answered 500/);
    expect(row).not.toMatch(/\b0 ms/);
  });

  test('a cell that was never run says so', () => {
    const one = changed((copy) => {
      copy.cells[0]!.outcomes = {};
      copy.cells[0]!.failures = [];
    });
    expect(plain(one, 120)).toMatch(/short +│ +1 │ +0\/0 │ — not run/);
  });

  test('a rate is shown by its median: its p95 would be read as the worst of it', () => {
    const summary = report.cells[0]!.metrics.token_rate!;
    const row = plain(report, 160)
      .split('\n')
      .find((line) => line.includes('38/40'));
    expect(row).toContain(`│ ${Math.round(summary.p50).toString().padStart(5)} │`);
    expect(row).not.toContain(`/ ${Math.round(summary.p95)} │`);
  });

  test('shows how much faster the first token is', () => {
    expect(plain(report, 120)).toMatch(/\dx faster/);
  });

  test('failures say what, how often, where, and what the service sent', () => {
    const text = plain(report, 120);
    expect(text).toContain('168 × http_error: the service answered 500 Internal Server Error');
    expect(text).toContain('| {"error":');
    expect(text).toContain('| second');
    expect(text).not.toContain('| third');
    expect(text).toContain('hint: the service is at its limit');
    expect(text).toContain('in flash · broken · 1 stream · streaming: 40 of 40; ');
    expect(text).toContain('and 5 more cells');
  });

  test('failures that have no group are still counted', () => {
    const one = changed((copy) => {
      copy.cells[0]!.outcomes.truncated = 3;
    });
    expect(plain(one, 120)).toContain('3 other failures');
  });

  test('says where token counts come from, each source apart', () => {
    expect(plain(report, 120)).toContain('Output tokens: counted by the provider (usage).');
    const one = changed((copy) => {
      copy.cells[0]!.tokenSource = 'chunks';
    });
    expect(plain(one, 120)).toMatch(/Output tokens of flash \(streaming\): estimated/);
  });

  test('an aborted run and one that died carry a banner', () => {
    expect(plain(report, 120)).not.toMatch(/ABORTED|UNFINISHED/);
    const aborted = changed((copy) => {
      copy.run.aborted = true;
      copy.run.abortReason = 'interrupted';
      copy.run.planned = 1000;
    });
    expect(plain(aborted, 120)).toContain(
      'ABORTED: interrupted. Partial results: 480 of 1000 planned requests.',
    );
    const died = changed((copy) => {
      copy.run.endedAt = undefined;
    });
    expect(plain(died, 120)).toContain('UNFINISHED');
    expect(plain(died, 120)).toContain('end unknown');
  });

  test('warns of coalescing and of a p95 of few values', () => {
    expect(plain(report, 120)).not.toMatch(/shared a socket read|fewer than 20/);
    const one = changed(
      (copy) => {
        copy.cells[0]!.coalescedShare = 0.35;
      },
      sampleReport({ requests: 10 }),
    );
    expect(plain(one, 120)).toContain('Up to 35 % of content events shared a socket read');
    expect(plain(one, 120)).toContain('fewer than 20 answers');
  });

  test('a reasoning model gets a column for its first answer', () => {
    const one = changed((copy) => {
      for (const { metrics } of copy.cells) if (metrics.ttfa) metrics.ttfa.p50 += 1000;
    });
    expect(plain(one, 160)).toContain('TTFA');
    expect(plain(report, 160)).not.toContain('TTFA');
  });

  test('a run of nothing is still a report', () => {
    const empty = changed((copy) => {
      copy.cells = [];
    });
    expect(plain(empty, 80)).toContain('demo');
  });
});

test('in ASCII, only names have other characters', () => {
  const report = structuredClone(sampleReport());
  const text = terminalReport(report, { width: 100, color: 0, ascii: true });
  expect(text.replaceAll('请介绍机器学习', '')).toMatch(/^[\x20-\x7e\n]*$/);
  const widths = (drawn: string) => drawn.split('\n').map((line) => line.length);
  expect(widths(text)).toEqual(widths(terminalReport(report, { width: 100, color: 0 })));
});

describe('colour', () => {
  test('without colour there is no escape code, whatever a service sent', () => {
    for (const width of [40, 80, 120]) expect(plain(report, width)).not.toMatch(/[\u001b\u009b\u0007]/);
  });

  test('colour adds escape codes and nothing else', () => {
    for (const color of [1, 2, 3] as const) {
      const coloured = terminalReport(report, { width: 100, color });
      expect(coloured).toContain('\u001b[');
      expect(coloured.replaceAll(/\u001b\[[\d;]*m/g, '')).toBe(plain(report, 100));
    }
  });
});
