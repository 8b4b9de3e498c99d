import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { RasterChart } from '../../../src/report/html/chart.ts';
import { samplePage } from './pages.ts';
import { parsePage } from './parse-page.ts';

test('the conclusion comes first, then problems, tables and charts, each with words and a table', () => {
  const { tags, text, open, data } = parsePage(samplePage());
  expect(open).toEqual([]);
  const sections = tags.flatMap(([tag, { id }]) => (tag === 'section' ? [id] : []));
  expect(sections).toEqual([
    'conclusion',
    'checks',
    'results',
    'requests',
    'distributions',
    'comparisons',
    'notes',
  ]);
  expect(text).toContain('first token');
  expect(data.charts.map(({ kind }) => kind).slice(0, 5)).toEqual([
    'raster',
    'timeline',
    'distribution',
    'distribution',
    'distribution',
  ]);
  const raster = data.charts[0] as RasterChart;
  expect(raster.rows).toHaveLength(300);
  expect(text).toContain('300 of 320 requests, a random sample (seed 42) spread evenly over the cells.');
  const groups = tags.filter(([, attributes]) => attributes['data-chart'] !== undefined);
  expect(groups).toHaveLength(data.charts.length);
  for (const [, attributes] of groups) expect(attributes['aria-label']).toMatch(/^Chart: ./);
});

test('the page loads nothing, and no name becomes markup: its policy allows its own style and scripts, by their hashes', () => {
  const page = samplePage({ hostile: true });
  const { tags, text, open } = parsePage(page);
  for (const [, attributes] of tags)
    for (const name of Object.keys(attributes)) expect(name).not.toMatch(/^(on|src|xlink)/);
  for (const [tag, { href }] of tags)
    if (href) expect([tag, href]).toEqual(['a', expect.stringMatching(/^#/)]);
  const policy = tags.find(([tag, one]) => tag === 'meta' && one['http-equiv'])?.[1].content ?? '';
  expect(policy).toMatch(/^default-src 'none';/);
  const blocks = [...page.matchAll(/<(script|style)>(.*?)<\/\1>/gs)];
  expect(blocks).toHaveLength(3);
  for (const [, , text = ''] of blocks)
    expect(policy).toContain(`'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  // The chart library keeps its licence.
  expect(page).toContain('Permission is hereby granted, free of charge');
  // What servers and files say is text, whatever is in it.
  expect(open).toEqual([]);
  expect(tags.filter(([tag]) => tag === 'script')).toHaveLength(3);
  expect(tags.map(([tag]) => tag)).not.toContain('img');
  expect(text).toContain('<!--');
  expect(text).toContain('<img src=x');
});
