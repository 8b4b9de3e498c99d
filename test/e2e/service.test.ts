import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Manifest, Report } from '../../src/model/report.ts';
import { ROOT, scratch, streambench } from '../support/program.ts';

const folder = scratch();
afterAll(() => folder.dispose());

const SCENARIO = `version: 1
name: through-the-service
targets:
  - { name: direct, provider: simulator, model: quick }
  - { name: real, service: { endpoint: agent, upstream: { model: quick } } }
  - { name: legacy, service: { endpoint: agent, mode: legacy, textBufferSize: 8, upstream: { model: quick } } }
  - { name: stored, service: { endpoint: conversation, strategy: every-chunk, upstream: { model: quick } } }
  - { name: play, service: { endpoint: playground, upstream: { model: quick } } }
prompts: [{ name: p, text: How are you? }]
modes: [streaming, non-streaming]
load: { concurrency: [2], requests: 4, rounds: 2 }
thresholds:
  - streaming.verdict{target=real} == streaming
  - streaming.verdict{target=legacy} == buffered
  - server.memory_per_stream < 1000MB
  - errors.count < 1
simulator:
  profiles:
    quick: { ttft: 40ms, gap: 8ms, tokens: 30 }
    slow: { ttft: 40ms, gap: 100ms, tokens: 600 }
`;

function write(name: string, text: string): string {
  const file = join(folder.path, name);
  writeFileSync(file, text);
  return file;
}

describe('a scenario that starts the service itself', () => {
  test('measures every endpoint, reads the memory, keeps the token to itself, and is reported again alike', async () => {
    const output = join(folder.path, 'out');
    const file = write('all.yaml', SCENARIO);
    const { code, stdout, stderr } = await streambench(['run', file, '--json', '-o', output]);
    expect(stderr).not.toMatch(/warning/);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Report;
    for (const cell of report.cells) expect(cell.outcomes).toEqual({ ok: 4 });
    for (const { target, server } of report.cells) {
      if (target === 'direct') {
        expect(server).toBeNull();
        continue;
      }
      expect(server!.failed).toBe(0);
      expect(server!.readings).toBeGreaterThanOrEqual(4);
      expect(server!.memoryBytes!.before).toBeGreaterThan(20e6);
      expect(server!.memoryBytes!.max).toBeGreaterThanOrEqual(server!.memoryBytes!.before);
      expect(server!.memoryPerStreamBytes).toBeCloseTo(
        (server!.memoryBytes!.max - server!.memoryBytes!.before) / 2,
        -1,
      );
    }

    const [run] = readdirSync(output);
    const again = await streambench(['report', join(output, run!), '-f', 'json']);
    expect(JSON.parse(again.stdout)).toEqual(report);
    const files = readdirSync(join(output, run!)).map((name) =>
      readFileSync(join(output, run!, name), 'utf8'),
    );
    // A JWT begins like this, whoever made it.
    expect([stdout, stderr, ...files].filter((text) => text.includes('eyJ'))).toEqual([]);
    const { serverLoads, servers } = JSON.parse(
      readFileSync(join(output, run!, 'manifest.json'), 'utf8'),
    ) as Manifest;
    expect(servers!.map(({ target }) => target)).toEqual(['real', 'legacy', 'stored', 'play']);
    expect(serverLoads).toHaveLength(4 * 2 * 2);
    const terminal = await streambench(['report', join(output, run!)]);
    expect(terminal.stdout).toMatch(/Server of real at 2 streams: memory \d+ MB before the run/);
  });

  test('a dry run and a check start nothing', async () => {
    const file = write('dry.yaml', SCENARIO);
    const dry = await streambench(['run', file, '--dry-run']);
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain(
      'starts the embedded simulator, the reference service for real, legacy, play',
    );
    expect(await streambench(['validate', file])).toMatchObject({ code: 0, stderr: '' });
  });
});

/** Processes of the service that have this parent, or any other than the test's own once it is gone. */
function services(pids: readonly number[] = []): { pid: number; parent: number }[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  return lines
    .filter((line) => line.includes(join(ROOT, 'dist/service/process.js')))
    .map((line) => line.trim().split(/\s+/, 2).map(Number))
    .map(([pid = 0, parent = 0]) => ({ pid, parent }))
    .filter(({ pid, parent }) => pids.length === 0 || pids.includes(pid) || pids.includes(parent));
}

async function eventually(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 300) throw new Error('it never came to be');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('nothing is left behind', () => {
  const slow = SCENARIO.replaceAll('model: quick', 'model: slow').replace(
    /thresholds:[\s\S]*simulator:/,
    'simulator:',
  );

  async function started(name: string) {
    const file = write(`${name}.yaml`, slow);
    const args = [join(ROOT, 'bin/streambench.js'), 'run', file, '-o', join(folder.path, name)];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'ignore' });
    const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const output = join(folder.path, name);
    // Two processes of the service, and the run has begun.
    await eventually(() => services([child.pid!]).length === 2);
    const pids = services([child.pid!]).map(({ pid }) => pid);
    await eventually(() => readdirSync(folder.path).includes(name) && readdirSync(output).length === 1);
    return { child, code, pids };
  }

  test('when it is interrupted twice', async () => {
    const { child, code, pids } = await started('twice');
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGINT');
    expect(await code).toBe(130);
    expect(services(pids)).toEqual([]);
  });

  test('when it is killed', async () => {
    const { child, code, pids } = await started('killed');
    child.kill('SIGKILL');
    await code;
    await eventually(() => services(pids).length === 0);
  });
});
