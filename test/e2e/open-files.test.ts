import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { type Finished, scratch, start } from '../support/program.ts';

// Descriptors that run out in the middle of a run: the limit of the running program is lowered from outside.

const PRLIMIT = '/usr/bin/prlimit';
const REQUESTS = 200;
const AFTER = 40;

const event = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

const folder = scratch();
afterAll(() => folder.dispose());

let server: Server;
let reached: Promise<void>;
beforeEach(async () => {
  let requests = 0;
  let tell = () => {};
  reached = new Promise((resolve) => {
    tell = resolve;
  });
  server = createServer((request, response) => {
    request.resume();
    if (++requests === AFTER) tell();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event({ content: 'a' }));
    setTimeout(() => response.end(`${event({ content: 'b' }, 'stop')}data: [DONE]\n\n`), 50);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Runs a scenario whose descriptors are limited to `limit` when it is on its way. */
async function limitedTo(limit: number, connection: string, args: readonly string[]) {
  const output = join(folder.path, `${connection}-${limit}-${args.length}`);
  const scenario = join(folder.path, 'scenario.yaml');
  writeFileSync(
    scenario,
    `version: 1
name: files
targets: [{ name: t, url: "http://127.0.0.1:${(server.address() as AddressInfo).port}/v1", provider: openai, model: m }]
prompts: [{ name: p, text: hi }]
load: { concurrency: [8], requests: ${REQUESTS}, rounds: 1, warmup: 0 }
connection: ${connection}
keepGoing: true
`,
  );
  const running = start(['run', scenario, '-o', output, ...args]);
  await Promise.race([
    reached,
    running.done.then(({ stderr }) => {
      throw new Error(`ended too soon:\n${stderr}`);
    }),
  ]);
  execFileSync(PRLIMIT, ['--pid', String(running.pid), `--nofile=${limit}:${limit}`]);
  const finished: Finished = await running.done;
  const [run] = readdirSync(output);
  const records = readFileSync(join(output, run!, 'records.ndjson'), 'utf8')
    .trim()
    .split('\n');
  return { ...finished, records };
}

describe.skipIf(!existsSync(PRLIMIT))('open files run out during a run', () => {
  test.each([['1'], ['2']])(
    'each request that finds none is a failure with a remedy, and all are kept (%s threads)',
    async (workers) => {
      const { stdout, stderr, records } = await limitedTo(20, 'per-request', [
        '--json',
        ...['--workers', workers],
      ]);
      const { cells } = JSON.parse(stdout || `{"cells":[]}`) as Report;
      const { ok = 0, network = 0 } = cells[0]?.outcomes ?? {};
      expect(ok, stderr).toBeGreaterThan(0);
      expect(ok + network).toBe(REQUESTS);
      expect(cells[0]!.failures).toEqual([
        {
          ...{ kind: 'network', code: 'EMFILE', count: network },
          message: expect.stringMatching(/^connect EMFILE 127\.0\.0\.1:\d+$/),
          hint: expect.stringContaining('ulimit -n'),
        },
      ]);
      expect(records).toHaveLength(REQUESTS);
    },
    60_000,
  );

  test('a run that was measured shows its report, and says which file it could not write and why', async () => {
    // Below what the program has open anyway: no file can be opened any longer.
    const { code, stdout, stderr, records } = await limitedTo(10, 'warm', []);
    expect(stdout).toContain('TTFT');
    expect(records).toHaveLength(REQUESTS);
    expect(stderr).toMatch(/cannot write .*report\.json: EMFILE\n.*ulimit -n/);
    expect(code, stderr).toBe(8);
  }, 60_000);
});
