import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CliSession } from './cli-session.ts';

/** Options that name or open the page of a run. */
export interface PageFlags {
  html?: string;
  open?: boolean;
}

/** Shows a file in the browser; says where it is on a machine where none can be opened. */
export async function openPage(file: string, session: CliSession): Promise<void> {
  const url = pathToFileURL(resolve(file)).href;
  if (!(await isOpened(url, session.env)))
    session.say(`no browser could be opened; open this file: ${resolve(file)}`);
}

function isOpened(url: string, env: CliSession['env']): Promise<boolean> {
  // Without a display the program that opens files waits for a text browser, or fails in a window that nobody sees.
  const isHeadless = process.platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY;
  if (isHeadless || env.CI) return Promise.resolve(false);
  const [command, ...args] = opener(url);
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    child.once('error', () => done(false));
    // A program that goes on is the browser itself.
    const timer = setTimeout(() => done(true), 2000);
    child.once('exit', (code) => {
      clearTimeout(timer);
      done(code === 0);
    });
    child.unref();
  });
}

function opener(url: string): [string, ...string[]] {
  if (process.platform === 'darwin') return ['open', url];
  if (process.platform === 'win32') return ['explorer.exe', url];
  return ['xdg-open', url];
}
