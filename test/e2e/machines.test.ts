import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { reportRun } from '../../src/bench/run/report-builder.ts';
import { mergeCommand } from '../../src/cli/commands/merge.ts';
import { runCommand } from '../../src/cli/commands/run.ts';
import { UserError } from '../../src/model/errors.ts';
import type { Report } from '../../src/model/report.ts';
import { runCommand as inProcess } from '../cli/in-process.ts';
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
  const startAt = String(Math.ceil(Date.now() / 1000) + 2);
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
  const again = await reportRun(merged);
  expect(JSON.parse(JSON.stringify(again.report))).toEqual(report);

  // The other shard has ended, so that neither can be continued; and one alone is not the run.
  for (const [words, said] of [
    [['run', '--resume', merged], 'merged from shards'],
    [['run', '--resume', runs[0]!], 'it is a shard'],
    [['merge', runs[0]!, '-o', join(folder.path, 'nothing')], 'shard 2 of 2 is missing'],
  ] as const)
    expect(await refusal(words)).toContain(said);
  expect(existsSync(join(folder.path, 'nothing'))).toBe(false);
}, 60_000);

/** What a command says that is refused. */
async function refusal(words: readonly string[]): Promise<string> {
  const add = words[0] === 'merge' ? mergeCommand : runCommand;
  const error: unknown = await inProcess(add, words).catch((thrown: unknown) => thrown);
  if (!(error instanceof UserError)) throw new Error(`${words.join(' ')} was accepted`);
  expect(error.exitCode).toBe(2);
  return error.message;
}

test('what a shard cannot decide is refused before anything is sent', async () => {
  const server = await startServer((socket) => socket.end());
  const target = ['run', '--target', server.url, '--dialect', 'openai-chat', '--model', 'm', '-c', '2'];
  for (const [flags, said] of [
    [['--shard', '1/2', '--baseline', 'main'], '--baseline'],
    [['--shard', '1/2', '--save-baseline', 'main'], '--save-baseline'],
    [['--shard', '1/2', '--until-decided'], '--until-decided'],
    [['--shard', '1/2', '--resume'], '--resume'],
    [['--shard', '1/3', '-o', folder.path], 'concurrency 2 cannot be split over 3 shards'],
    [['--shard', '3/2'], 'there is no shard 3 of 2'],
    [['--shard', 'auto'], 'no scheduler has numbered this task'],
    [['--start-at', '2026-01-01T00:00:00Z'], 'at most 10 s are accepted'],
  ] as const)
    expect(await refusal([...target, ...flags])).toContain(said);
  expect(server.requests).toEqual([]);
});
