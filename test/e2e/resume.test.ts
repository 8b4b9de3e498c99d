import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Manifest, Report } from '../../src/model/report.ts';
import { scratch, start, streambench } from '../support/program.ts';
import { CHAT_BODY, type RawServer, rawServers, SSE_HEAD } from '../support/raw-server.ts';

const folder = scratch();
const startServer = rawServers();
afterAll(() => folder.dispose());

const KEY = 'sk-resume-1234';

/** Answers after 20 ms; the log of its requests is the witness of what was sent. */
const serve = () => startServer((socket) => setTimeout(() => socket.write(SSE_HEAD + CHAT_BODY), 20));

let outputs = 0;
function scenarioFor(server: RawServer, load: string) {
  const output = join(folder.path, `out${outputs++}`);
  const file = `${output}.yaml`;
  writeFileSync(
    file,
    `version: 1\nname: r\ntargets: [{ name: t, url: "${server.url}/v1", dialect: openai-chat, model: m, apiKey: "\${env:MY_KEY}" }]\nprompts: [{ name: p, text: hi }]\nload: ${load}\n`,
  );
  return { output, file };
}

const env = { MY_KEY: KEY };
const runIn = (output: string) => join(output, readdirSync(output).sort().at(-1)!);
const read = (run: string) => {
  const text = (file: string) => readFileSync(join(run, file), 'utf8');
  const lines = text('records.ndjson').split('\n').filter(Boolean);
  return {
    manifest: JSON.parse(text('manifest.json')) as Manifest,
    records: lines.map((line) => JSON.parse(line) as RequestRecord),
    report: () => JSON.parse(text('report.json')) as Report,
  };
};

const LOAD = '{ concurrency: 2, requests: 60, rounds: 3, warmup: 1 }';

/** A run that is ended by a signal when the server has had `requests` requests. */
async function cut(signal: NodeJS.Signals, requests: number, load = LOAD, more: string[] = []) {
  const server = await serve();
  const { output, file } = scenarioFor(server, load);
  const program = start(['run', file, '-o', output, ...more], { env });
  await expect.poll(() => server.requests.length, { timeout: 20_000, interval: 2 }).toBeGreaterThan(requests);
  program.kill(signal);
  const { code, stderr } = await program.done;
  return { server, output, file, run: runIn(output), code, stderr };
}

describe('--resume', () => {
  test.each<[NodeJS.Signals, number | null]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGKILL', null],
  ])(
    'measures what a run lacks that was ended by %s',
    async (signal, code) => {
      const before = await cut(signal, 30);
      expect(before.code).toBe(code);
      const interrupted = read(before.run);
      const first = interrupted.records;
      expect(first.length).toBeGreaterThan(0);
      expect(first.length).toBeLessThan(60);
      if (code !== null) expect(before.stderr).toContain(`streambench run --resume ${before.run}`);
      const sentBefore = before.server.requests.length;

      const resumed = await streambench(['run', '--resume', before.run], { env });
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(resumed.stdout).toContain(`resumed after ${first.length} requests`);
      const { manifest, records, report } = read(before.run);
      expect(records.slice(0, first.length)).toEqual(first);
      expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, seq) => seq));
      // By the server's log: what was missing and one warm-up request, and nothing else.
      expect(before.server.requests.length - sentBefore).toBe(60 - first.length + 1);
      for (const round of [0, 1, 2]) expect(records.filter((one) => one.round === round)).toHaveLength(20);
      expect(manifest.run).toMatchObject({
        aborted: false,
        planned: 60,
        resumed: [{ after: first.length }],
      });
      expect(manifest.process).toBeUndefined();
      // A prompt that was sent before would be in the server's cache.
      const nonces = before.server.requests.map(
        (request) => /"content":"([0-9a-z]{8})\\n\\nhi"/.exec(request)![1],
      );
      expect(new Set(nonces).size).toBe(nonces.length);
      const salts = [manifest.run.unique!.salt, manifest.run.resumed![0]!.salt];
      expect(salts[0]).toBe(interrupted.manifest.run.unique!.salt);
      expect(salts[1]).toMatch(/^[0-9a-f]{16}$/);
      expect(salts[1]).not.toBe(salts[0]);
      const [cell] = report().cells;
      expect(cell!.outcomes).toEqual({ ok: 60 });
      // The pause between the parts is in no window: 60 requests of 20 ms, two at a time, and what a busy machine adds.
      const next = records.slice(first.length);
      const last = Math.max(...first.map(({ marks }) => marks.end!));
      expect(next.every(({ part, marks }) => part === 1 && marks.started >= last)).toBe(true);
      // The report made again is the same.
      expect((await streambench(['report', before.run, '-f', 'json'])).stdout).toBe(
        readFileSync(join(before.run, 'report.json'), 'utf8'),
      );
      const again = await streambench(['run', '--resume', before.run], { env });
      expect(again.code).toBe(2);
      expect(again.stderr).toContain('is complete');
    },
    60_000,
  );

  test('without a name continues the last run, also one that was resumed before, on two threads', async () => {
    const { output, run, server } = await cut('SIGKILL', 15, LOAD, ['--workers', '2']);
    const one = read(run).records.length;
    const sent = server.requests.length;
    const program = start(['run', '--resume', '-o', output, '--workers', '2'], { env });
    await expect
      .poll(() => server.requests.length - sent, { timeout: 20_000, interval: 2 })
      .toBeGreaterThan(12);
    program.kill('SIGKILL');
    await program.done;
    const two = read(run).records.length;
    const { code, stderr } = await streambench(['run', '--resume', '-o', output], { env });
    expect(code, stderr).toBe(0);
    const { manifest, records } = read(run);
    expect(records).toHaveLength(60);
    expect(new Set(records.map(({ seq }) => seq)).size).toBe(60);
    expect(manifest.run.resumed!.map(({ after }) => after)).toEqual([one, two]);
    expect(readdirSync(output)).toHaveLength(1);
  }, 60_000);

  test('measures again what a cut file lost', async () => {
    const server = await serve();
    const { output, file } = scenarioFor(server, LOAD);
    expect((await streambench(['run', file, '-o', output], { env })).code).toBe(0);
    const run = runIn(output);
    const path = join(run, 'records.ndjson');
    const text = readFileSync(path, 'utf8');
    truncateSync(path, text.split('\n').slice(0, 40).join('\n').length - 5);
    const report = JSON.parse((await streambench(['report', run, '-f', 'json'])).stdout) as Report;
    expect(report.run).toMatchObject({ aborted: true, abortReason: '21 of 60 records are missing' });
    const sent = server.requests.length;
    const { code, stderr } = await streambench(['run', '--resume', run], { env });
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('the last record was cut off');
    expect(server.requests.length - sent).toBe(21 + 1);
    expect(read(run).records).toHaveLength(60);
  }, 60_000);
});

describe('--resume refuses', () => {
  const load = '{ requests: 6, rounds: 2, warmup: 0 }';
  const editManifest = (run: string, change: (manifest: Manifest) => void) => {
    const path = join(run, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
    change(manifest);
    writeFileSync(path, JSON.stringify(manifest));
  };
  let made: { run: string; server: RawServer; file: string } | undefined;
  async function unfinished(): Promise<{ run: string; file: string; server: RawServer }> {
    if (made === undefined) {
      const server = await serve();
      const { output, file } = scenarioFor(server, load);
      await streambench(['run', file, '-o', output], { env });
      const run = runIn(output);
      const path = join(run, 'records.ndjson');
      writeFileSync(path, `${readFileSync(path, 'utf8').split('\n').slice(0, 4).join('\n')}\n`);
      made = { run, server, file };
    }
    const copy = join(folder.path, `copy${outputs++}`);
    cpSync(made.run, copy, { recursive: true });
    return { ...made, run: copy };
  }

  test.each<[string, (run: string) => void, (run: string, file: string) => string[], RegExp]>([
    ['no such run', (run) => rmSync(run, { recursive: true }), (run) => ['--resume', run], /no run at/],
    [
      'another version',
      (run) => editManifest(run, (manifest) => Object.assign(manifest.environment, { streambench: '0.0.9' })),
      (run) => ['--resume', run],
      /was written by streambench 0\.0\.9[\s\S]*use version 0\.0\.9/,
    ],
    ['other load', () => {}, (run) => ['--resume', run, '-n', '8'], /the scenario has changed/],
    [
      'another scenario',
      () => {},
      (run, file) => [`${file}.other`, '--resume', run],
      /the scenario has changed/,
    ],
    [
      'another seed',
      (run) => editManifest(run, (manifest) => Object.assign(manifest.run, { seed: 7 })),
      (run) => ['--resume', run],
      /its plan differs/,
    ],
    [
      'damaged records',
      (run) => {
        const path = join(run, 'records.ndjson');
        const lines = readFileSync(path, 'utf8').split('\n');
        writeFileSync(path, [lines[0], 'x', ...lines.slice(1)].join('\n'));
      },
      (run) => ['--resume', run],
      /records\.ndjson is damaged: .*:2: this line is not a JSON object/,
    ],
    [
      'a key that was written out',
      (run) =>
        editManifest(run, ({ scenario }) => {
          (scenario.document as { targets: { apiKey: string }[] }).targets[0]!.apiKey = '[secret]';
        }),
      (run) => ['--resume', run],
      /targets\[0\]\.apiKey: a literal secret[\s\S]*add the scenario file/,
    ],
    ['two scenarios', () => {}, (run, file) => [file, file, '--resume', run], /continues one run/],
  ])('%s, before anything is sent', async (_name, spoil, args, message) => {
    const { run, file, server } = await unfinished();
    spoil(run);
    writeFileSync(`${file}.other`, readFileSync(file, 'utf8').replace('hi', 'bye'));
    const sent = server.requests.length;
    const { code, stdout, stderr } = await streambench(['run', ...args(run, file)], { env });
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(server.requests).toHaveLength(sent);
  });

  test('a run whose process is still there', async () => {
    const { run } = await unfinished();
    const sleeper: ChildProcess = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
    try {
      const { hostname } = await import('node:os');
      editManifest(run, (manifest) =>
        Object.assign(manifest, { process: { pid: sleeper.pid, host: hostname() } }),
      );
      const { code, stderr } = await streambench(['run', '--resume', run], { env });
      expect(code).toBe(2);
      expect(stderr).toContain(`still running in process ${sleeper.pid}`);
    } finally {
      sleeper.kill();
    }
  });
});

describe('kill -9', () => {
  test.each([1, 2])(
    'loses no record that is older than a second (%i threads)',
    async (threads) => {
      for (const [index, requests] of [10, 60, 130].entries()) {
        const server = await serve();
        const { output, file } = scenarioFor(
          server,
          '{ concurrency: 4, requests: 10000, rounds: 1, warmup: 0 }',
        );
        const program = start(['run', file, '-o', output, '--workers', String(threads)], { env });
        await expect
          .poll(() => server.requests.length, { timeout: 20_000, interval: 2 })
          .toBeGreaterThan(requests);
        // By then these have been answered, and a busy machine has had time to say so.
        await new Promise((done) => setTimeout(done, 1500 + index * 37));
        program.kill('SIGKILL');
        await program.done;
        const run = runIn(output);
        const text = readFileSync(join(run, 'records.ndjson'), 'utf8');
        const lines = text.slice(0, text.lastIndexOf('\n')).split('\n');
        for (const line of lines) expect(JSON.parse(line)).toMatchObject({ outcome: { kind: 'ok' } });
        expect(lines.length).toBeGreaterThanOrEqual(requests - 4);
        expect(existsSync(join(run, 'report.json'))).toBe(false);
        const report = await streambench(['report', run]);
        expect(report.code, report.stderr).toBe(0);
        expect(report.stdout).toContain('ABORTED: the run did not finish');
        await server.close();
      }
    },
    60_000,
  );
});

test('lines that cannot be read are left out of a report, and counted', async () => {
  const server = await serve();
  const { output, file } = scenarioFor(server, '{ requests: 8, rounds: 2 }');
  await streambench(['run', file, '-o', output], { env });
  const run = runIn(output);
  const path = join(run, 'records.ndjson');
  const [first, ...others] = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, [first!.replace('{"schema"', '{"sch'), ...others].join('\n'));
  appendFileSync(path, '{"schema":"streambench/record@2"}\n');
  const { code, stdout, stderr } = await streambench(['report', run]);
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /2 of 9 lines could not be read and are skipped:\n\s+\S+:1: [^\n]+\n\s+\S+:9: written with/,
  );
  expect(stdout).toContain('ABORTED: 1 of 8 records are missing. Partial results: 7 of 8 planned requests.');
});
