import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PEERS_FOLDER, peersInstalled } from './installed.ts';

// Few and short tries: a machine without a network should learn so in seconds, and run the other tests.
const NPM_CI = [
  'ci',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--prefer-offline',
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=1000',
  '--fetch-timeout=30000',
];
const LIMIT_MS = 300_000;

/**
 * Installs the peers before the first test, where they are not there yet. Without a registry the tests that need them
 * are skipped, and this says why. `STREAMBENCH_PEERS=skip` does not try.
 */
export default async function setup(): Promise<void> {
  if (peersInstalled()) return;
  if (process.env.STREAMBENCH_PEERS === 'skip') {
    say('not installed, and not wanted (STREAMBENCH_PEERS=skip): their tests are skipped');
    return;
  }
  say('installing client libraries and mock servers of others into test/peers (once, about 220 MB)');
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    await promisify(execFile)(npm, NPM_CI, {
      cwd: PEERS_FOLDER,
      timeout: LIMIT_MS,
      shell: process.platform === 'win32',
    });
  } catch (error) {
    say(`could not be installed, so their tests are skipped: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string };
  const lines = stderr.split('\n').filter((line) => /^npm (error|ERR!) (?!A complete log)/.test(line));
  return lines.slice(0, 3).join('\n  ') || message;
}

function say(text: string): void {
  process.stderr.write(`peers: ${text}\n`);
}
