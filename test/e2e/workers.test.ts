import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { arrivalsOf, contentArrivalsOf } from '../../src/model/chunks.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Report } from '../../src/model/report.ts';
import { scratch, start } from '../support/program.ts';
import {
  CHUNKED_END,
  chatChunk,
  chunked,
  type RawServer,
  rawServer,
  SSE_HEAD,
} from '../support/raw-server.ts';

const folder = scratch();
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});
afterAll(() => folder.dispose());

interface Slow extends RawServer {
  /** The most requests that were open at once. */
  most(): number;
  /** The least that an answer took, to its first token and to its end. */
  least: { firstMs: number; totalMs: number };
}

const FIRST_MS = 100;
const TOKENS = 5;

/** Answers after 100 ms with five tokens, 10 ms apart. */
async function slowServer(): Promise<Slow> {
  let now = 0;
  let most = 0;
  const least = { firstMs: Number.POSITIVE_INFINITY, totalMs: Number.POSITIVE_INFINITY };
  const server = await rawServer((socket) => {
    most = Math.max(most, ++now);
    const receivedAt = performance.now();
    const took = () => performance.now() - receivedAt;
    socket.write(SSE_HEAD);
    const send = (left: number) => {
      if (left === TOKENS) least.firstMs = Math.min(least.firstMs, took());
      if (left > 0) {
        socket.write(chunked(chatChunk({ content: `t${left} ` })));
        setTimeout(send, 10, left - 1);
      } else {
        now--;
        least.totalMs = Math.min(least.totalMs, took());
        socket.write(chunked(`${chatChunk({}, 'stop')}data: [DONE]\n\n`) + CHUNKED_END);
      }
    };
    setTimeout(send, FIRST_MS, TOKENS);
  });
  open.push(server);
  return { ...server, most: () => most, least };
}

let outputs = 0;
function run(server: RawServer, more: string[], env: Record<string, string> = {}) {
  const output = join(folder.path, `out${outputs++}`);
  const target = [
    '--target',
    server.url,
    '--provider',
    'openai',
    '--model',
    'm',
    '--keep-text',
    '--keep-chunks',
  ];
  const program = start(['run', ...target, '-o', output, ...more], { env });
  const read = () => {
    const run = join(output, readdirSync(output)[0]!);
    const text = (file: string) => readFileSync(join(run, file), 'utf8');
    return {
      report: JSON.parse(text('report.json')) as Report,
      records: text('records.ndjson')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as RequestRecord),
    };
  };
  return { program, read };
}

describe('a run on several threads', () => {
  const load = ['-c', '7', '-n', '42', '--rounds', '2', '--warmup', '3'];
  const measured = async (workers: number) => {
    const server = await slowServer();
    const { program, read } = run(server, [...load, '--workers', String(workers)]);
    const { code, stderr } = await program.done;
    expect(code, stderr).toBe(0);
    return { ...read(), most: server.most(), least: server.least, requests: server.requests.length };
  };

  test('gives what a run on one gives: the same load, the same answers, the same times', async () => {
    const one = await measured(1);
    const three = await measured(3);
    for (const { report, records, most, requests } of [one, three]) {
      expect(most).toBe(7);
      expect(requests).toBe(42 + 3);
      expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: 42 }, (_, seq) => seq));
      expect(report.run).toMatchObject({ aborted: false, planned: 42 });
    }
    const [threads1, threads3] = [one, three].map(({ report }) => report.cells[0]!.client!.threads);
    expect([threads1, threads3]).toEqual([1, 3]);

    // What does not hang on the clock is the same to the letter.
    const timeless = ({ records, report: { cells } }: typeof one) => ({
      answers: records.map(({ text, finish, tokens, contentEvents, outcome, round, bytes, chunks }) => ({
        ...{
          text,
          finish,
          tokens: tokens.output,
          contentEvents,
          outcome,
          round,
          bytes,
          kinds: chunks?.kinds,
        },
      })),
      cells: cells.map(({ target, outcomes, io, connections, tokenSource }) => ({
        ...{ target, outcomes, events: io?.events, bytes: io?.bytes, connections, tokenSource },
      })),
    });
    expect(timeless(three)).toEqual(timeless(one));
    // The arrival of each chunk has the stamp of the marks.
    for (const record of [...one.records, ...three.records]) {
      const { sent, firstEvent, firstToken, lastToken } = record.marks;
      expect(record.chunks?.kinds).toEqual([
        ['answer', TOKENS],
        ['other', 2],
      ]);
      expect(arrivalsOf(record)![0]).toBeCloseTo(firstEvent! - sent!, 6);
      const content = contentArrivalsOf(record)!;
      expect(content[0]).toBeCloseTo(firstToken! - sent!, 6);
      expect(content.at(-1)).toBeCloseTo(lastToken! - sent!, 6);
    }
    // Times are the server's: the best of them is what the server's best was. On a busy machine the client may see late
    // that its write was taken, when the server has begun.
    for (const { report, least } of [one, three]) {
      const { ttft, total } = report.cells[0]!.metrics;
      expect(ttft!.n).toBe(42);
      expect(ttft!.min).toBeGreaterThan(least.firstMs - 30);
      expect(ttft!.min).toBeLessThan(least.firstMs + 30);
      expect(total!.min).toBeGreaterThan(least.totalMs - 30);
      expect(total!.min).toBeLessThan(least.totalMs + 30);
    }
  });

  test('ends with Ctrl-C as any other: what is in flight ends, and the rest is not sent', async () => {
    const server = await slowServer();
    const { program, read } = run(server, ['-c', '4', '-n', '400', '--rounds', '1', '--workers', '2']);
    await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBeGreaterThan(8);
    program.kill('SIGINT');
    const { code, stdout } = await program.done;
    expect(code).toBe(130);
    expect(stdout).toContain('ABORTED');
    const { report, records } = read();
    expect(report.run).toMatchObject({ aborted: true, abortReason: 'interrupted' });
    expect(records.length).toBeGreaterThan(3);
    expect(records.length).toBeLessThan(100);
    expect(records.every(({ outcome }) => outcome.kind === 'ok')).toBe(true);
  });

  test('ends at once with the second Ctrl-C', async () => {
    const server = await rawServer((socket) => socket.write(SSE_HEAD + chunked(chatChunk({ content: 'x' }))));
    open.push(server);
    const { program, read } = run(server, ['-c', '4', '-n', '40', '--warmup', '0', '--workers', '2']);
    await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBe(4);
    program.kill('SIGINT');
    await program.until('send it again');
    program.kill('SIGINT');
    expect((await program.done).code).toBe(130);
    expect(read().records.map(({ outcome }) => outcome.kind)).toEqual(Array(4).fill('cancelled'));
  });
});

describe('a thread that dies', () => {
  test.each<[string, string, RegExp]>([
    ['of an error', "throw new Error('out of luck')", /^a measuring thread died \(out of luck\)$/],
    ['at once', 'process.exit(3)', /^a measuring thread ended with code 3$/],
  ])(
    '%s ends the run, which keeps what was measured and says why',
    async (name, death, reason) => {
      const server = await slowServer();
      const [module, word] = ['mjs', 'word'].map((end) =>
        join(folder.path, `${name.replaceAll(' ', '-')}.${end}`),
      );
      // The thread dies when the test says so, by a file: how long a thread takes to start depends on the machine.
      writeFileSync(
        module!,
        `import { existsSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
if (threadId === 2) {
  const timer = setInterval(() => {
    if (!existsSync(${JSON.stringify(word)})) return;
    clearInterval(timer);
    ${death};
  }, 10);
}
`,
      );
      const { program, read } = run(server, ['-c', '4', '-n', '400', '--rounds', '1', '--workers', '2'], {
        NODE_OPTIONS: `--import=${pathToFileURL(module!).href}`,
      });
      await expect.poll(() => server.requests.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(20);
      writeFileSync(word!, '');
      const { code, stdout, stderr } = await program.done;
      expect(code).toBe(1);
      expect(stdout).toContain('ABORTED: a measuring thread');
      expect(stderr).toContain('exit 1: ');
      const { report, records } = read();
      expect(report.run).toMatchObject({ aborted: true, abortReason: expect.stringMatching(reason) });
      expect(records.length).toBeGreaterThan(3);
      // By its log, the server was not asked for the rest.
      expect(server.requests.length).toBeLessThan(400);
      // The other thread's requests came to their end.
      expect(records.every(({ outcome }) => outcome.kind === 'ok')).toBe(true);
      expect(report.cells[0]!.outcomes.ok).toBe(records.length);
    },
    60_000,
  );
});
