import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'libsql';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { monotonicClock } from '../../src/model/clock.ts';
import { openStore } from '../../src/service/store.ts';
import {
  CHUNKED_END,
  chatChunk,
  chunked,
  type RawServer,
  rawServer,
  SSE_HEAD,
} from '../support/raw-server.ts';
import { type ServeProcess, serveProcess } from './serve-process.ts';
import { decode, messagesOf, textOf, until } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'streambench-kills-'));
const GAP_MS = 10;
let words = 40;
let model: RawServer;

// A model that says a numbered word every few milliseconds.
beforeAll(async () => {
  model = await rawServer((socket) => {
    let next = 0;
    socket.write(SSE_HEAD);
    const timer = setInterval(() => {
      if (next < words) return void socket.write(chunked(chatChunk({ content: `word${next++} ` })));
      clearInterval(timer);
      socket.write(chunked(`${chatChunk({}, 'stop')}data: [DONE]\n\n`) + CHUNKED_END);
    }, GAP_MS);
    socket.on('close', () => clearInterval(timer));
  });
});
const running: ServeProcess[] = [];
afterEach(async () => {
  for (const process of running.splice(0)) if (process.child.exitCode === null) await process.end('SIGKILL');
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;

async function serve(...args: string[]) {
  const file = join(folder, `${files++}.db`);
  const upstream = ['--upstream', 'openai', '--upstream-url', `${model.url}/v1`, '--model', 'm'];
  const process = await serveProcess([...upstream, '--db', file, ...args]);
  running.push(process);
  return { process, file };
}

/** A stream that is being read: the text so far, and when each piece of it came. */
function startReading(process: ServeProcess) {
  const arrivals: { text: string; atMs: number }[] = [];
  const over = (async () => {
    const response = await process.post('/chat/stream', { message: 'Hello', session_id: 's' });
    const reader = response.body!.getReader();
    let body = '';
    for (;;) {
      // A process that was killed resets the connection.
      const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }));
      if (done) break;
      body += new TextDecoder().decode(value);
      const text = textOf(decode('conversation', body).events);
      if (text !== arrivals.at(-1)?.text) arrivals.push({ text, atMs: performance.now() });
    }
    return decode('conversation', body).events;
  })();
  return {
    over,
    received: () => arrivals.at(-1)?.text ?? '',
    receivedBefore: (atMs: number) => arrivals.findLast((arrival) => arrival.atMs <= atMs)?.text ?? '',
  };
}

/** The rows that a dead process left, read without our own store; the file has to be sound. */
function rowsOf(file: string) {
  const database = new Sqlite(file);
  expect(database.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  const rows = database.prepare('SELECT role, content, partial, reason FROM messages ORDER BY id').all();
  database.close();
  return rows as { role: string; content: string; partial: number; reason: string | null }[];
}

const HELLO = { role: 'user', content: 'Hello', partial: 0, reason: null };
const WHOLE = Array.from({ length: 40 }, (_, i) => `word${i} `).join('');

describe('SIGKILL in the middle of a stream', () => {
  async function killed(...args: string[]) {
    words = 400;
    const { process, file } = await serve(...args);
    const stream = startReading(process);
    await until(() => stream.received().includes('word60 '));
    const killedAtMs = performance.now();
    await process.end('SIGKILL');
    await stream.over;
    const [user, answer] = rowsOf(file);
    expect(user).toEqual(HELLO);
    return { stream, killedAtMs, answer, file };
  }

  test('end: only the user’s message is stored', async () => {
    const { answer } = await killed('--strategy', 'end');
    expect(answer).toBeUndefined();
  });

  test('every-chunk: everything a client has received is stored', async () => {
    const { answer, stream } = await killed('--strategy', 'every-chunk');
    expect(answer).toMatchObject({ partial: 1, reason: 'in_progress' });
    expect(answer?.content.startsWith(stream.received())).toBe(true);
  });

  test('every-n-chars: fewer than so many characters are lost', async () => {
    const { answer, stream } = await killed('--strategy', 'every-n-chars', '--every-chars', '30');
    expect(stream.received().length - (answer?.content.length ?? 0)).toBeLessThan(30);
    expect(
      stream.received().startsWith(answer!.content) || answer!.content.startsWith(stream.received()),
    ).toBe(true);
  });

  test('end with a checkpoint: at most one interval is lost, and the next start marks the answer as crashed', async () => {
    const { answer, stream, killedAtMs, file } = await killed('--checkpoint', '200ms');
    // Beside the interval, what a busy machine may be late by.
    const safe = stream.receivedBefore(killedAtMs - 200 - 150);
    expect(safe).toContain('word10 ');
    expect(answer?.content.startsWith(safe)).toBe(true);
    const store = await openStore(file, monotonicClock);
    expect(store.messages({ owner: 'dev', session: 's' }, 9)[1]).toMatchObject({
      partial: true,
      reason: 'crashed',
    });
    store.close();
  });
});

describe('SIGTERM in the middle of a stream', () => {
  test('lets it end, stores the whole answer, and exits', async () => {
    words = 40;
    const { process, file } = await serve('--drain', '10s');
    const stream = startReading(process);
    await until(() => stream.received() !== '');
    expect(await process.end('SIGTERM')).toBe(0);
    const events = await stream.over;
    expect(textOf(events)).toBe(WHOLE);
    expect(events.at(-1)?.type).toBe('complete');
    expect(rowsOf(file)).toEqual([HELLO, { role: 'assistant', content: WHOLE, partial: 0, reason: null }]);
  });

  test('stops it after the drain time, with an error event, and stores the text so far', async () => {
    words = 4_000;
    const { process, file } = await serve('--drain', '100ms');
    const stream = startReading(process);
    await until(() => stream.received() !== '');
    expect(await process.end('SIGTERM')).toBe(0);
    const events = await stream.over;
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'shutdown' });
    expect(rowsOf(file)).toEqual([
      HELLO,
      { role: 'assistant', content: textOf(events), partial: 1, reason: 'shutdown' },
    ]);
  });

  test('a second signal stops it now', async () => {
    words = 4_000;
    const { process, file } = await serve('--drain', '10m');
    const stream = startReading(process);
    await until(() => stream.received() !== '');
    process.child.kill('SIGINT');
    await until(() => process.stderr().includes('send it again'));
    expect(await process.end('SIGINT')).toBe(0);
    await stream.over;
    expect(rowsOf(file)[1]).toMatchObject({ partial: 1, reason: 'shutdown' });
  });
});

test('a normal end survives the death of the process right after it', async () => {
  words = 40;
  const { process, file } = await serve();
  expect((await startReading(process).over).at(-1)?.type).toBe('complete');
  await process.end('SIGKILL');
  expect(rowsOf(file)).toEqual([HELLO, { role: 'assistant', content: WHOLE, partial: 0, reason: null }]);
  const again = await serveProcess(['--db', file]);
  running.push(again);
  expect(await messagesOf(again, 's')).toHaveLength(2);
});
