import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { scratch, start, streambench } from '../support/program.ts';
import { CHAT_BODY, rawServers, SSE_HEAD } from '../support/raw-server.ts';

const folder = scratch();
const startServer = rawServers();
afterAll(() => folder.dispose());

test('two processes measure a run together, and the server sees one run', async () => {
  // The server's own log is the witness of what was sent.
  const server = await startServer((socket) => setTimeout(() => socket.write(SSE_HEAD + CHAT_BODY), 20));
  const file = join(folder.path, 's.yaml');
  writeFileSync(
    file,
    `version: 1
name: together
targets: [{ name: t, url: "${server.url}/v1", dialect: openai-chat, model: m }]
prompts: [{ name: p, text: hi }]
load: { concurrency: 5, requests: 101, rounds: 1, warmup: 0 }
thresholds: ["ttft.p95 < 1ms"]
`,
  );
  const output = join(folder.path, 'shards');
  // As a scheduler would start them, one by the flag and one by the variable.
  const startAt = String(Math.ceil(Date.now() / 1000) + 1);
  const shards = [
    start(['run', file, '--shard', '1/2', '--start-at', startAt, '-o', output, '-q']),
    start(['run', file, '--shard', 'auto', '--start-at', startAt, '-o', output], {
      env: { JOB_COMPLETION_INDEX: '1', STREAMBENCH_SHARDS: '2' },
    }),
  ];
  const [first, second] = await Promise.all(shards.map(({ done }) => done));
  // The failed threshold does not fail a shard.
  expect([first!.code, second!.code]).toEqual([0, 0]);
  expect(second!.stdout).toContain('Shard 2 of 2');
  expect(second!.stdout).not.toContain('ttft.p95 < 1ms');

  const prompts = server.requests.map((request) => /"content":"([^"]*)"/.exec(request)?.[1]);
  expect(prompts).toHaveLength(101);
  expect(new Set(prompts).size).toBe(101);

  const runs = readdirSync(output).map((name) => join(output, name));
  expect(runs.map((run) => /-(\dof\d)-/.exec(run)?.[1]).sort()).toEqual(['1of2', '2of2']);
  const merged = join(folder.path, 'merged');
  const joined = await streambench(['merge', ...runs, '-o', merged, '--json']);
  expect(joined.code).toBe(3);
  const report = JSON.parse(joined.stdout) as Report;
  expect(report.cells[0]).toMatchObject({ concurrency: 5, outcomes: { ok: 101 } });
  expect(report.machines!.shards.map(({ requests }) => requests)).toEqual([61, 40]);
  expect(report.gates).toMatchObject([{ expression: 'ttft.p95 < 1ms', verdict: 'fail' }]);
  expect(report.run).toMatchObject({ planned: 101, aborted: false });

  // A run folder as any other.
  const again = await streambench(['report', merged, '-f', 'json']);
  expect(JSON.parse(again.stdout)).toEqual(report);
  expect((await streambench(['compare', merged, merged])).code).toBe(0);
  const resumed = await streambench(['run', '--resume', merged]);
  expect({ code: resumed.code, stderr: resumed.stderr }).toMatchObject({ code: 2 });
  const shard = await streambench(['run', '--resume', runs[0]!]);
  expect(shard.code).toBe(2);
});

test('a missing shard is an error that names it, and nothing is written', async () => {
  const output = join(folder.path, 'shards');
  const [one] = readdirSync(output).sort();
  const merged = join(folder.path, 'nothing');
  const { code, stderr } = await streambench(['merge', join(output, one!), '-o', merged]);
  expect(code).toBe(2);
  expect(stderr).toContain('shard 2 of 2 is missing');
  expect(existsSync(merged)).toBe(false);
});

test('what a shard cannot decide is refused before anything is sent', async () => {
  const server = await startServer((socket) => socket.end());
  const target = ['run', '--target', server.url, '--dialect', 'openai-chat', '--model', 'm', '-c', '2'];
  for (const flags of [
    ['--shard', '1/2', '--baseline', 'main'],
    ['--shard', '1/2', '--save-baseline', 'main'],
    ['--shard', '1/2', '--until-decided'],
    ['--shard', '1/2', '--resume'],
    ['--shard', '1/3'],
    ['--shard', '3/2'],
    ['--shard', 'auto'],
    ['--start-at', '2026-01-01T00:00:00Z'],
  ]) {
    const { code, stderr } = await streambench([...target, ...flags]);
    expect({ flags, code, said: stderr.includes('nothing was sent') }).toEqual({
      flags,
      code: 2,
      said: true,
    });
  }
  expect(server.requests).toEqual([]);
});
