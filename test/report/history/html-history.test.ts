import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { historyOf } from '../../../src/analysis/history/history.ts';
import type { AcceptedRun } from '../../../src/model/accepted-run.ts';
import { htmlHistory } from '../../../src/report/history/html-history.ts';
import { dailyRun, dailyRuns, ERRORS, TTFT } from '../../analysis/history/runs.ts';

const step = (day: number) => (day >= 8 ? 1.31 : 1);
const page = (runs: readonly AcceptedRun[], source = 'main') =>
  htmlHistory(historyOf(runs, { source, figures: [TTFT, ERRORS], warnings: ['a.json is <damaged>'] }));

/** The texts of a page by python's own HTML parser, and its tags with attributes. */
function parsed(html: string): { tags: [string, Record<string, string>][]; text: string; open: string[] } {
  const program = `
import sys, json
from html.parser import HTMLParser
class P(HTMLParser):
    def __init__(self):
        super().__init__(); self.tags = []; self.text = []; self.open = []
    def handle_starttag(self, tag, attrs):
        self.tags.append([tag, dict(attrs)])
        if tag not in ('meta',): self.open.append(tag)
    def handle_startendtag(self, tag, attrs): self.tags.append([tag, dict(attrs)])
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
    def handle_data(self, data): self.text.append(data)
p = P(); p.feed(sys.stdin.read()); p.close()
print(json.dumps({'tags': p.tags, 'text': ''.join(p.text), 'open': p.open}))`;
  return JSON.parse(execFileSync('python3', ['-c', program], { input: html, encoding: 'utf8' }));
}

describe('the page of a history', () => {
  test('is well-formed, and has a point for each run with a value', () => {
    const runs = dailyRuns(14, step);
    const cells = (runs[3]?.cells ?? []).map((cell) => ({ ...cell, failed: 200, figures: {} }));
    runs[3] = dailyRun(3, { cells });
    const { tags, text, open } = parsed(page(runs));
    expect(open).toEqual([]);
    const count = (name: string) => tags.filter(([tag]) => tag === name).length;
    expect(count('svg')).toBe(2);
    // Thirteen times and fourteen error rates.
    expect(count('circle')).toBe(13 + 14);
    expect(tags.filter(([, attributes]) => attributes.class === 'missing')).toHaveLength(1);
    expect(text).toContain('main: ttft.p50 +3');
    expect(text).toContain('since commit abcdef008 of 2026-10-09 03:31');
    expect(text).toContain('a.json is <damaged>');
    expect(count('tr')).toBe(15);
  });

  test('loads nothing and runs nothing', () => {
    const html = page(dailyRuns(14, step));
    const { tags } = parsed(html);
    const names = new Set(tags.map(([tag]) => tag));
    for (const name of ['script', 'img', 'link', 'iframe', 'object', 'use', 'image'])
      expect(names).not.toContain(name);
    for (const [, attributes] of tags)
      for (const name of Object.keys(attributes)) expect(name).not.toMatch(/^(on|src|href|xlink)/);
    expect(html).not.toMatch(/url\(|@import|https?:/);
    expect(html).toContain("default-src 'none'");
    expect(html).toContain('prefers-color-scheme: dark');
  });

  test('names from files are text, whatever is in them', () => {
    const evil = `"><script>alert(1)</script><img src=x onerror='x'>\u202e`;
    const runs = dailyRuns(14, step).map((run) => ({
      ...run,
      manifest: {
        ...run.manifest,
        scenario: { ...run.manifest.scenario, name: evil },
        environment: { ...run.manifest.environment, gitCommit: evil, gitBranch: evil },
      },
    }));
    const { tags, text } = parsed(page(runs, evil));
    const names = tags.map(([tag]) => tag);
    expect(names).not.toContain('script');
    expect(names).not.toContain('img');
    expect(text).toContain('<script>alert(1)</script>');
    expect(text).not.toContain('\u202e');
  });

  test.each([
    ['one run', dailyRuns(1, step)],
    ['no value', [dailyRun(0, { cells: [] })]],
  ])('%s: no coordinate is missing', (_, runs) => {
    const { tags } = parsed(page(runs));
    for (const [tag, attributes] of tags)
      expect(`${tag} ${JSON.stringify(attributes)}`).not.toMatch(/NaN|Infinity|undefined/);
  });
});
