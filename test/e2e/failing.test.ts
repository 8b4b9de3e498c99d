import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { ROOT, scratch, start, streambench } from '../support/program.ts';
import {
  CHUNKED_END,
  chatChunk,
  chunked,
  type RawServer,
  rawServers,
  SSE_HEAD,
} from '../support/raw-server.ts';

const folder = scratch();
const serve = rawServers();
afterAll(() => folder.dispose());

const ANSWER = `${SSE_HEAD}${chunked(chatChunk({ content: 'Hello' }))}${chunked(`${chatChunk({}, 'stop')}data: [DONE]\n\n`)}${CHUNKED_END}`;

function failure(status: number, message: string): string {
  const body = JSON.stringify({ error: { message } });
  return `HTTP/1.1 ${status} No\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

let outputs = 0;
const newOutput = () => join(folder.path, `out${outputs++}`);
const run = (server: RawServer, output: string, ...more: string[]) => [
  ...['run', '--target', server.url, '--provider', 'openai', '--model', 'm', '-o', output],
  ...more,
];
const readReport = (output: string): Report => {
  const [name] = readdirSync(output);
  return JSON.parse(readFileSync(join(output, name!, 'report.json'), 'utf8')) as Report;
};

describe('a disk that fails', () => {
  // `ulimit -f` limits the size of a file, in blocks of 512 bytes or of 1 KB: the write that passes it fails with EFBIG.
  test.skipIf(process.platform === 'win32')(
    'leaves the figures in memory: they are printed, the loss is said, exit 8',
    async () => {
      const server = await serve((socket) => socket.write(ANSWER));
      const output = newOutput();
      const args = [
        join(ROOT, 'bin/streambench.js'),
        ...run(server, output, '-n', '400', '-c', '2', '--rounds', '2'),
      ];
      // Node's default for SIGXFSZ is to ignore it, as the shell's is not.
      const child = spawn('sh', ['-c', 'ulimit -f 64; exec "$@"', 'sh', process.execPath, ...args], {
        env: { PATH: process.env.PATH ?? '' },
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      const code = await new Promise((resolve) => child.on('close', resolve));
      expect(code, stderr).toBe(8);
      expect(stdout).toContain('400/400');
      expect(stdout).toMatch(/NOT STORED: \d+ records could not be written/);
      expect(stderr).toMatch(/warning: cannot write [\s\S]*the run continues/);
      expect(stderr).toMatch(/\d+ records were not written: cannot write .*records\.ndjson: EFBIG/);
      expect(stderr.trim().split('\n').at(-1)).toBe('exit 8: results could not be written');
      // What is on disk is whole lines, which can be reported and continued.
      const at = join(output, readdirSync(output)[0]!);
      const records = readFileSync(join(at, 'records.ndjson'), 'utf8');
      expect(records.endsWith('}\n')).toBe(true);
      const kept = records.split('\n').length - 1;
      const report = await streambench(['report', at]);
      expect(report.stdout.replaceAll(/\s+/g, ' ')).toContain(`Partial results: ${kept} of 400`);
      const sent = server.requests.length;
      const resumed = await streambench(['run', '--resume', at]);
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(server.requests.length - sent).toBe(400 - kept + 1);
    },
    60_000,
  );

  test.skipIf(process.platform === 'win32')(
    'a folder that is deleted during the run is said at once',
    async () => {
      const server = await serve((socket) => setTimeout(() => socket.write(ANSWER), 15));
      const output = newOutput();
      const program = start(run(server, output, '-n', '200', '-c', '2', '--rounds', '1'));
      await expect.poll(() => server.requests.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(10);
      rmSync(output, { recursive: true });
      const { code, stdout, stderr } = await program.done;
      expect(code).toBe(8);
      expect(stdout).toContain('200/200');
      expect(stderr).toContain('warning: cannot write');
      expect(stderr).toContain('200 records were not written');
      expect(stderr).toContain('deleted or moved during the run');
    },
    60_000,
  );

  test('a folder in which nothing can be made is refused before anything is sent', async () => {
    const server = await serve((socket) => socket.write(ANSWER));
    const output = newOutput();
    mkdirSync(output);
    execFileSync('touch', [join(output, 'file')]);
    const { code, stderr } = await streambench(run(server, join(output, 'file'), '-n', '4'));
    expect(code).toBe(2);
    expect(stderr).toContain('cannot write');
    expect(server.requests).toEqual([]);
  });
});

describe('a target that fails from its first request on', () => {
  const notFound = () => serve((socket) => socket.write(failure(404, `no model (request ${Math.random()})`)));

  test('stops the run after five failures, says so and how to go on', async () => {
    const server = await notFound();
    const output = newOutput();
    const { code, stdout, stderr } = await streambench(run(server, output, '-n', '200', '-c', '2'));
    expect(code).toBe(7);
    expect(server.requests.length).toBeGreaterThanOrEqual(5);
    expect(server.requests.length).toBeLessThanOrEqual(5 + 2);
    const text = stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain(
      'ABORTED: the first 5 requests to target "m", warm-up included, all failed with the same error (http_error: HTTP 404: no model',
    );
    expect(text).toContain('--keep-going');
    expect(text.match(/× http_error, such as: HTTP 404/g)).toHaveLength(1);
    expect(stderr).toContain('exit 7: ');
    expect(readReport(output).cells[0]!.failures).toHaveLength(1);
  });

  test('stops all threads of a run that has several', async () => {
    const server = await serve((socket) =>
      setTimeout(() => socket.write(failure(404, `no model (request ${Math.random()})`)), 100),
    );
    const output = newOutput();
    const load = ['-n', '400', '-c', '4', '--rounds', '2', '--warmup', '0', '--workers', '2'];
    const { code, stderr } = await streambench(run(server, output, ...load));
    expect(code, stderr).toBe(7);
    const { run: ended, cells } = readReport(output);
    expect(ended.abortReason).toContain(
      'the first 5 requests to target "m", warm-up included, all failed with the same error',
    );
    // Threads hand over what has ended every 50 ms; each request in flight then came to its end and was recorded.
    expect(server.requests.length).toBeLessThan(200);
    expect(cells[0]!.outcomes).toEqual({ http_error: server.requests.length });
  });

  test('--keep-going goes on to the end', async () => {
    const server = await notFound();
    const { code, stdout } = await streambench(run(server, newOutput(), '-n', '20', '--keep-going'));
    expect(code).toBe(7);
    expect(server.requests).toHaveLength(20 + 1);
    expect(stdout).not.toContain('ABORTED');
  });

  test('in `ab` as in `run`: one side without an answer is exit 7', async () => {
    const good = await serve((socket) => socket.write(ANSWER));
    const bad = await notFound();
    for (const more of [[], ['--keep-going']]) {
      const args = ['ab', `${good.url}/v1#a`, `${bad.url}/v1#b`, '-n', '20', '-o', newOutput(), ...more];
      const { code, stdout, stderr } = await streambench(args);
      expect(code, stderr).toBe(7);
      expect(stdout).toMatch(/http_error/);
    }
    expect(bad.requests.length).toBeLessThanOrEqual(5 + 2 + 21);
  }, 60_000);

  test('one answer, or another failure, and the run goes on', async () => {
    let count = 0;
    const server = await serve((socket) => socket.write(count++ === 3 ? ANSWER : failure(500, 'no')));
    const { code } = await streambench(run(server, newOutput(), '-n', '20'));
    expect(code).toBe(0);
    expect(server.requests).toHaveLength(21);
  });
});

test('failed requests are in the first lines, with the threshold that is missing', async () => {
  let count = 0;
  const server = await serve((socket) =>
    socket.write(count++ % 5 === 2 ? failure(503, `busy, request req_${count}a`) : ANSWER),
  );
  const output = newOutput();
  const { code, stdout } = await streambench(run(server, output, '-n', '40', '--warmup', '0'));
  expect(code).toBe(0);
  const [name, empty, heading, ...lines] = stdout.split('\n');
  expect([name, empty, heading]).toEqual(['m', '', 'Conclusion']);
  const text = lines.slice(0, 8).join(' ').replaceAll(/\s+/g, ' ');
  expect(text).toContain(
    'failed 8/40 http_error, such as: HTTP 503: busy, request req_3a; no threshold checks this: add "errors.rate < 1%"',
  );
  const at = join(output, readdirSync(output)[0]!);
  const markdown = (await streambench(['report', at, '-f', 'markdown'])).stdout;
  expect(markdown).toMatch(/^## m\n(.*\n){2,8}\| \*\*failed\*\* \| 8\/40 \| \*\*http\\_error/);
  const gated = await streambench(
    run(server, newOutput(), '-n', '40', '--warmup', '0', '--threshold', 'errors.rate < 1%'),
  );
  expect(gated.code).toBe(3);
  expect(gated.stdout).not.toContain('No threshold checks failures');
});

test.skipIf(process.platform === 'win32').each([24, 64])(
  'a limit of %i open files is a sentence',
  async (limit) => {
    const child = spawn(
      'sh',
      [
        '-c',
        `ulimit -n ${limit}; exec "$@"`,
        'sh',
        process.execPath,
        join(ROOT, 'bin/streambench.js'),
        'run',
        '-n',
        '32',
        '-o',
        newOutput(),
      ],
      { env: { PATH: process.env.PATH ?? '' } },
    );
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(/limit on open files \(\d+\) is too low|open files, and the limit is/);
    expect(stderr).toContain('ulimit -n');
    expect(stderr).not.toContain('unexpected');
  },
);
