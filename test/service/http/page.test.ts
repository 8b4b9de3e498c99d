import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStack, type TestStack, until } from '../support.ts';

const CHROMIUM = '/usr/bin/chromium';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({}, 'unhurried');
});
afterAll(() => stack.close());

test('the page is one document that loads nothing else, and its policy allows nothing else', async () => {
  const response = await fetch(stack.url);
  const page = await response.text();
  const policy = response.headers.get('content-security-policy');
  expect(response.headers.get('content-type')).toMatch(/^text\/html/);
  expect(page).not.toMatch(/(src|href)="(?!data:)|url\(|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  for (const [, name, text = ''] of page.matchAll(/<(script|style)>(.*?)<\/\1>/gs)) {
    expect(policy).toContain(`${name}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  }
});

const inBrowser = existsSync(CHROMIUM);
if (!inBrowser) console.log(`the page is not tried in a browser: there is no ${CHROMIUM}`);

describe.runIf(inBrowser)('in a browser', () => {
  test('both readers show all tokens when they arrive', { timeout: 60_000 }, async () => {
    const browser = await openBrowser();
    try {
      await browser.go(`${stack.url}/#token=${stack.token}&run=1&prompt=Hello`);
      const seen: { state: string; chunks: number; text: string }[][] = [];
      const look = () =>
        browser.evaluate<
          { state: string; chunks: number; text: string }[] | undefined
        >(`['fetch', 'source'].map((id) => {
          const pane = document.getElementById(id);
          return { state: pane.dataset.state, chunks: Number(pane.dataset.chunks), text: pane.querySelector('.text').textContent };
        })`);
      await until(async () => {
        const panes = await look();
        // Between two documents there is none to look at.
        if (panes === undefined) return false;
        seen.push(panes);
        return panes.every(({ state }) => state !== 'open' && state !== 'idle');
      }, 30_000);
      const last = seen.at(-1)!;
      expect(last.map(({ state, chunks }) => [state, chunks])).toEqual([
        ['done', 12],
        ['done', 12],
      ]);
      expect(last.every(({ text }) => text.length > 12)).toBe(true);
      for (const pane of [0, 1]) {
        const counts = new Set(
          seen.map((panes) => panes[pane]!.chunks).filter((count) => count > 0 && count < 12),
        );
        expect(counts.size).toBeGreaterThanOrEqual(2);
      }
      // The token does not stay where it would be copied with the address.
      expect(await browser.evaluate('location.href')).toBe(`${stack.url}/`);
    } finally {
      await browser.close();
    }
  });
});

/** A headless browser, spoken to by its own protocol. */
async function openBrowser() {
  const folder = mkdtempSync(join(tmpdir(), 'streambench-browser-'));
  const child = spawn(
    CHROMIUM,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
      'about:blank',
    ],
    { stdio: 'ignore' },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const portFile = join(folder, 'DevToolsActivePort');
  await until(() => existsSync(portFile) && readFileSync(portFile, 'utf8').includes('\n'), 30_000);
  const port = readFileSync(portFile, 'utf8').split('\n')[0];
  const pages = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(pages.find(({ type }) => type === 'page')!.webSocketDebuggerUrl);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  const waiting = new Map<number, (result: unknown) => void>();
  let id = 0;
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (message.id !== undefined) waiting.get(message.id)?.(message.result);
  });
  const command = (method: string, params: object) =>
    new Promise<unknown>((resolve) => {
      waiting.set(++id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
  const evaluate = async <T>(expression: string): Promise<T> => {
    const answer = await command('Runtime.evaluate', { expression, returnByValue: true });
    return (answer as { result: { value: T } }).result.value;
  };
  return {
    evaluate,
    /** Resolves when the new page can be asked: until then the old one answers. */
    async go(url: string): Promise<void> {
      await command('Page.navigate', { url });
      const isThere = `location.href !== 'about:blank' && document.readyState === 'complete'`;
      await until(() => evaluate<boolean>(isThere), 30_000);
    },
    async close() {
      socket.close();
      child.kill('SIGKILL');
      await exited;
      // Its child processes end a little later, and write until then.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
