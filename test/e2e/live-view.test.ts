import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { Screen } from '../cli/progress/screen.ts';
import { ROOT, scratch } from '../support/program.ts';

/** Why a pseudo-terminal cannot be had here; undefined where it can. */
function missing(): string | undefined {
  try {
    execFileSync('python3', ['-c', 'import pty, termios, fcntl'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'skipped: needs python3 with the module pty';
  }
}

const reason = missing();
if (reason !== undefined) console.warn(`live-view.test.ts: ${reason}`);
const folder = scratch();
afterAll(() => folder.dispose());

interface Session {
  code: number;
  events: ({ columns: number } | { output: string })[];
}

test.skipIf(reason !== undefined)(
  'on a terminal that gets narrower, Ctrl-C leaves the message, the report and nothing else',
  async () => {
    const steps = [
      { until: ' in flight' },
      { resize: [60, 30] },
      { until: ' in flight' },
      { until: ' in flight' },
      { send: '\u0003' },
    ];
    const command = ['bin/streambench.js', '--no-color', 'run', 'scenarios/demo.yaml', '--workers', '1'];
    const limits = ['-d', '40s', '--warmup', '0', '-o', folder.path];
    const { stdout } = await promisify(execFile)(
      'python3',
      [
        join(ROOT, 'test/support/on-terminal.py'),
        JSON.stringify(steps),
        process.execPath,
        ...command,
        ...limits,
      ],
      { cwd: ROOT, env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color' } },
    );
    const { code, events } = JSON.parse(stdout) as Session;
    expect(code).toBe(130);
    const screen = new Screen(100);
    // A character may be cut between two reads.
    const decoder = new TextDecoder();
    let frames = 0;
    for (const event of events) {
      if ('columns' in event) screen.resize(event.columns);
      else {
        const text = decoder.decode(Buffer.from(event.output, 'hex'), { stream: true });
        frames += text.split(' in flight').length - 1;
        screen.write(text);
      }
    }
    expect(frames).toBeGreaterThanOrEqual(3);
    const lines = screen.lines();
    const text = lines.join('\n');
    // No part of the view is left, and no echo of the key.
    expect(text).not.toMatch(/\d in flight| left {2}| so far {2}|░|\^C/);
    expect(text.match(/SIGINT: waiting up to 10 s/g)).toHaveLength(1);
    expect(text).toContain('ABORTED');
    expect(lines.at(-1)).toMatch(/^exit 130: /);
  },
  30_000,
);
