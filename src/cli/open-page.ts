import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../model/errors.ts';
import type { CliSession } from './cli-session.ts';
import { checkOutputFile, writeOutputFile } from './output-file.ts';

/** The options for a page, as commander delivers them. */
export interface PageFlags {
  /** The file. */
  html?: string;
  /** Open it in the browser. */
  open?: boolean;
}

/** Writes a page and, if requested, opens it. */
export async function writePage(
  file: string,
  page: string,
  { open = false, flag = '--html' }: { open?: boolean; flag?: string },
  session: CliSession,
): Promise<void> {
  await writeOutputFile(file, page, flag);
  session.say(`written: ${file}`);
  if (!open) return;
  if (!(await isOpened(pathToFileURL(resolve(file)).href, session.env)))
    session.say(`no browser could be opened; open this file: ${resolve(file)}`);
}

/** Throws a `UserError` (`output_unwritable`) if a page cannot be written: before a run, not after it. */
export async function checkPageFile({ html }: PageFlags): Promise<void> {
  if (html !== undefined) await checkOutputFile(html, { existing: 'overwrite', flag: '--html' });
}

/** Throws a `UserError` (`usage`) for --open without a file. */
export function checkOpen({ html, open }: PageFlags): void {
  if (open && html === undefined)
    throw new UserError('usage', {
      message: '--open opens the page that --html writes',
      hint: 'add --html FILE',
    });
}

/** Time in which a program that cannot open a page has ended. */
const OPEN_MS = 2000;

function isOpened(url: string, env: CliSession['env']): Promise<boolean> {
  // Without a display, xdg-open starts a text browser or waits.
  const isHeadless = process.platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY;
  if (isHeadless || env.CI) return Promise.resolve(false);
  const [command, ...args] = opener(url);
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    // A program that still runs is the browser itself.
    const timer = setTimeout(() => done(true), OPEN_MS);
    const ended = (isOpen: boolean) => {
      clearTimeout(timer);
      done(isOpen);
    };
    child.once('error', () => ended(false));
    // explorer.exe ends with 1 also after it opened a page.
    child.once('exit', (code) => ended(code === 0 || process.platform === 'win32'));
    child.unref();
  });
}

function opener(url: string): [string, ...string[]] {
  if (process.platform === 'darwin') return ['open', url];
  if (process.platform === 'win32') return ['explorer.exe', url];
  return ['xdg-open', url];
}
