import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { freePorts, startTwoServers, type TwoServersOptions } from '../../../src/bench/ab/two-servers.ts';
import type { UserError } from '../../../src/model/errors.ts';
import { ROOT, scratch } from '../../support/program.ts';

const folder = scratch();
afterAll(() => folder.dispose());

const SERVER = `"${process.execPath}" "${join(ROOT, 'test/support/ab-server.mjs')}"`;

async function start(base: string, next: string, options: Partial<TwoServersOptions> = {}) {
  const ports = await freePorts(2);
  const side = (name: 'base' | 'new', command: string, port = 0) => ({
    ...{ name, command, port },
    url: `http://127.0.0.1:${port}/v1`,
  });
  return startTwoServers({
    sides: [side('base', base, ports[0]), side('new', next, ports[1])],
    readyTimeoutMs: 20_000,
    env: { ...process.env, SECRET_KEY: 'sk-canary-12345678' },
    secrets: [{ name: '[SECRET_KEY]', value: 'sk-canary-12345678' }],
    signal: new AbortController().signal,
    ...options,
  });
}

const failure = (promise: Promise<unknown>): Promise<UserError> =>
  promise.then(
    () => {
      throw new Error('started');
    },
    (error: UserError) => error,
  );

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The process ids that the servers printed. */
function pids(): number[] {
  return ['base', 'new'].map((name) =>
    Number(/pid (\d+)/.exec(readFileSync(join(folder.path, `${name}.log`), 'utf8'))?.[1]),
  );
}

describe.skipIf(process.platform === 'win32')('two servers', () => {
  test('get a port as {port} and PORT, are ready, keep redacted logs, and are gone after stop', async () => {
    const servers = await start(`${SERVER} --port {port}`, `sh -c '${SERVER}; true'`, { ready: '/health' });
    servers.keepLogs(folder.path);
    expect(servers.lost.aborted).toBe(false);
    servers.check();
    await servers.stop();
    const log = readFileSync(join(folder.path, 'base.log'), 'utf8');
    expect(log).toContain('key [SECRET_KEY]');
    expect(log).not.toContain('canary');
    // The second one runs below a shell that stays: its group is ended.
    expect(pids().map(isAlive)).toEqual([false, false]);
  });

  test('a server that ignores SIGTERM is killed', async () => {
    const servers = await start(`${SERVER} --ignore-sigterm`, SERVER);
    servers.keepLogs(folder.path);
    await servers.stop();
    // The system may take a moment to remove a killed process whose parent is gone.
    await vi.waitFor(() => expect(pids().map(isAlive)).toEqual([false, false]), 10_000);
  }, 30_000);

  test('a command that cannot be found: exit 2', async () => {
    const error = await failure(start(SERVER, 'no-such-program-here --port {port}'));
    expect(error.exitCode).toBe(2);
    expect(error.message).toMatch(
      /^--new-command: the new server could not be started \(exit code 127\); its last output: .*not found/,
    );
  });

  test('a command that dies: exit 7 with its last output', async () => {
    const error = await failure(start(SERVER, 'echo "port taken" >&2; exit 3'));
    expect(error.exitCode).toBe(7);
    expect(error.message).toContain(
      'the new server ended by itself (exit code 3); its last output: port taken',
    );
    expect(error.problems[0]?.hint).toMatch(/^run it by hand to see why: PORT=\d+ echo/);
  });

  test('a command that is never ready: exit 7, with what was missing', async () => {
    const error = await failure(start(SERVER, 'exec sleep 60', { readyTimeoutMs: 1_500 }));
    expect(error.exitCode).toBe(7);
    expect(error.message).toMatch(
      /the new server was not ready within 1\.5 s: cannot connect to 127\.0\.0\.1:\d+ \(ECONNREFUSED\); it printed nothing/,
    );
  });

  test('a health check that fails is not ready', async () => {
    const error = await failure(start(SERVER, SERVER, { ready: '/nothing-here', readyTimeoutMs: 3_000 }));
    expect(error.message).toMatch(/GET http:.*\/nothing-here is answered with status 404/);
  });

  test('a server that ends during the run is reported', async () => {
    const servers = await start(SERVER, SERVER);
    try {
      const { path } = folder;
      rmSync(join(path, 'new.log'), { force: true });
      servers.keepLogs(path);
      await vi.waitFor(() => expect(pids()[1]).toBeGreaterThan(0));
      // Of the group: the shell above the server reports its end.
      process.kill(pids()[1] ?? 0, 'SIGKILL');
      await vi.waitFor(() =>
        expect(servers.lost.reason).toMatch(/^the new server ended: (SIGKILL|exit code 137)$/),
      );
      expect(() => servers.check()).toThrow(/the new server ended by itself/);
    } finally {
      await servers.stop();
    }
  });
});
