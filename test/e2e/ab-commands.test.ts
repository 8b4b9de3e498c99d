import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { ROOT, scratch, start } from '../support/program.ts';

const folder = scratch();
afterAll(() => folder.dispose());

const results = join(folder.path, 'results');
const SERVER = `"${process.execPath}" "${join(ROOT, 'test/support/ab-server.mjs')}" --port {port}`;

/** A command that writes the server's process id to a file. */
const noted = (name: string, command: string) => `echo $$ > "${join(folder.path, name)}"; exec ${command}`;
const pidOf = (name: string) => Number(readFileSync(join(folder.path, name), 'utf8'));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(process.platform === 'win32')('Ctrl-C ends the servers that ab started', () => {
  test.each([
    ['while it waits for them', 'sleep 60', 'starting two servers'],
    ['while it measures', `${SERVER} --delay 50`, 'starting two servers'],
  ])(
    '%s',
    async (when, command, text) => {
      const [a, b] = [`a ${when}`, `b ${when}`];
      const running = start([
        ...['ab', '--base-command', noted(a, command), '--new-command', noted(b, command)],
        ...['-n', '5000', '-o', join(results, when)],
      ]);
      await running.until(text);
      await vi.waitFor(
        () => expect([a, b].every((name) => existsSync(join(folder.path, name)))).toBe(true),
        20_000,
      );
      const measures = () => existsSync(join(results, when)) && readdirSync(join(results, when)).length > 0;
      if (when === 'while it measures') await vi.waitFor(() => expect(measures()).toBe(true), 20_000);
      const pids = [a, b].map(pidOf);
      expect(pids.map(isAlive)).toEqual([true, true]);
      running.kill('SIGINT');
      const { code, stderr } = await running.done;
      expect(code, stderr).toBe(130);
      expect(stderr).not.toContain('to continue');
      await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), 10_000);
    },
    60_000,
  );
});
