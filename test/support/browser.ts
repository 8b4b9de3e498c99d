import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'undici';

const CHROMIUM = '/usr/bin/chromium';

/** True if there is a browser; otherwise prints that `what` is not tried in one. */
export function hasBrowser(what: string): boolean {
  const found = existsSync(CHROMIUM);
  if (!found) console.log(`${what} is not tried in a browser: there is no ${CHROMIUM}`);
  return found;
}

const KEYS = { Enter: 13, Escape: 27, Tab: 9, ArrowRight: 39 } as const;

/** Events of the protocol about errors and console output. */
const REPORTS = /^(Runtime\.exceptionThrown|Runtime\.consoleAPICalled|Log\.entryAdded)$/;

async function until(isDone: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await isDone())) {
    if (performance.now() > end) throw new Error('the browser did not answer in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A headless browser, spoken to by its own protocol. */
export async function openBrowser() {
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
    // A process group of its own, so that close() also ends its renderer and network processes.
    { stdio: 'ignore', detached: true },
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
  const messages: string[] = [];
  const waiting = new Map<number, (result: unknown) => void>();
  let id = 0;
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; result?: unknown; method?: string };
    if (message.id !== undefined) waiting.get(message.id)?.(message.result);
    else if (REPORTS.test(message.method ?? '')) messages.push(String(data));
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
  await command('Runtime.enable', {});
  await command('Log.enable', {});
  return {
    evaluate,
    command,
    /** Errors, warnings and console output of its pages, as the protocol reports them. */
    messages,
    /** Presses a key and releases it. `modifiers`: 2 for Ctrl. */
    async key(key: keyof typeof KEYS, modifiers = 0): Promise<void> {
      const windowsVirtualKeyCode = KEYS[key];
      const text = key === 'Enter' && modifiers === 0 ? '\r' : undefined;
      // Only a key that types a character presses a button.
      for (const type of [text === undefined ? 'rawKeyDown' : 'keyDown', 'keyUp']) {
        await command('Input.dispatchKeyEvent', {
          type,
          key,
          code: key,
          windowsVirtualKeyCode,
          modifiers,
          text,
        });
      }
    },
    /** Resolves when the new page can be asked: until then the old one answers. */
    async go(url: string): Promise<void> {
      await command('Page.navigate', { url });
      const isThere = `location.href !== 'about:blank' && document.readyState === 'complete'`;
      await until(() => evaluate<boolean>(isThere), 30_000);
    },
    async close() {
      socket.close();
      process.kill(-child.pid!, 'SIGKILL');
      await exited;
      // The children of a killed process take a moment to end, and write until then.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
