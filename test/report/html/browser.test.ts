import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { historyOf } from '../../../src/analysis/history/history.ts';
import { htmlHistory } from '../../../src/report/html/history-page.ts';
import { dailyRuns, TTFT } from '../../analysis/history/runs.ts';
import { hasBrowser, openBrowser } from '../../support/browser.ts';
import { samplePage } from './pages.ts';

describe.runIf(hasBrowser('the HTML report'))('in a browser', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'streambench-page-'));
  const page = samplePage({ hostile: true });
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  beforeAll(async () => {
    browser = await openBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(name: string, text: string): Promise<void> {
    const file = join(folder, name);
    writeFileSync(file, text);
    browser.messages.length = 0;
    await browser.go(pathToFileURL(file).href);
  }

  /** For each chart the number of different colors in it. */
  const colors = () =>
    browser.evaluate<number[]>(`[...document.querySelectorAll('.uplot canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    })`);
  const charts = () => browser.evaluate<number>(`document.querySelectorAll('[data-chart]').length`);
  const sorted = () =>
    browser.evaluate<{ sort: (string | null)[]; keys: (number | null)[] }>(`(() => {
      const [, column] = [...document.querySelectorAll('#results th')].map((head, at) => [head, at]).find(([head]) => head.textContent === 'TTFT');
      const rows = [...document.querySelector('#results tbody').rows];
      return {
        sort: [...document.querySelectorAll('#results table:first-of-type th')].flatMap((head) => head.getAttribute('aria-sort') ?? []),
        keys: rows.map(({ cells }) => cells[column].dataset.order).map((order) => (order === '' ? null : Number(order))),
      };
    })()`);

  test('names that are markup do nothing; all charts are drawn, without an error', async () => {
    await open('run.html', page);
    expect(await browser.evaluate('document.title')).toMatch(/^<\/script>/);
    const drawn = await colors();
    expect(drawn).toHaveLength(await charts());
    // Of a blank canvas it is one.
    expect(Math.min(...drawn)).toBeGreaterThan(3);
    expect(browser.messages).toEqual([]);
  });

  test('a table is sorted by keyboard, both ways, with missing values last', async () => {
    const focus = `[...document.querySelectorAll('#results th button')].find((button) => button.textContent === 'TTFT').focus()`;
    await browser.evaluate(focus);
    await browser.key('Enter');
    const up = await sorted();
    const known = up.keys.flatMap((key) => key ?? []);
    expect(up.sort).toEqual(['ascending']);
    expect(known).toEqual([...known].sort((a, b) => a - b));
    expect(up.keys.slice(0, known.length)).toEqual(known);
    expect(known.length).toBeLessThan(up.keys.length);
    await browser.key('Enter');
    const down = await sorted();
    expect(down.sort).toEqual(['descending']);
    expect(down.keys.slice(0, known.length)).toEqual([...known].reverse());
  });

  test('the arrow keys read a chart, cells can be hidden, and the theme changes the drawing', async () => {
    const pixels = `document.querySelector('.uplot canvas').toDataURL()`;
    const before = await browser.evaluate<string>(pixels);
    await browser.evaluate(`document.querySelector('.u-over').focus()`);
    await browser.key('ArrowRight');
    await browser.key('ArrowRight');
    expect(await browser.evaluate(`document.querySelector('.readout').textContent`)).toMatch(/arrivals$|^$/);
    await browser.evaluate(`document.querySelector('fieldset input').click()`);
    const fewer = await browser.evaluate<string>(pixels);
    expect(fewer).not.toBe(before);
    await browser.evaluate(`document.getElementById('theme').click()`);
    expect(await browser.evaluate<string>(pixels)).not.toBe(fewer);
    expect(await browser.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    expect(browser.messages).toEqual([]);
  });

  test('fits a phone without sideways scrolling, and paper in light colors', async () => {
    await browser.command('Emulation.setDeviceMetricsOverride', {
      ...{ width: 360, height: 740, deviceScaleFactor: 2, mobile: true },
    });
    await open('run.html', page);
    expect(await browser.evaluate('[document.documentElement.scrollWidth, innerWidth]')).toEqual([360, 360]);
    await browser.evaluate(`dispatchEvent(new Event('beforeprint'))`);
    expect(await browser.evaluate(`Math.round(document.querySelector('.uplot').clientWidth)`)).toBe(680);
    await browser.evaluate(`dispatchEvent(new Event('afterprint'))`);
    expect(browser.messages).toEqual([]);
    await browser.command('Emulation.clearDeviceMetricsOverride', {});
  });

  test('the page of a history draws its trend', async () => {
    const report = historyOf(
      dailyRuns(14, (day) => (day >= 8 ? 1.31 : 1)),
      { source: 'main', figures: [TTFT] },
    );
    await open('history.html', htmlHistory(report));
    expect(Math.min(...(await colors()))).toBeGreaterThan(3);
    expect(browser.messages).toEqual([]);
  });
});
