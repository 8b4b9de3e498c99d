import { connect, type Socket } from 'node:net';
import { createGunzip, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createToken, type ServiceOptions } from '../../src/service/index.ts';
import { rawServer } from '../support/raw-server.ts';
import { finish, say, startPuppet } from './puppet.ts';
import {
  clientOf,
  closedAfterEach,
  decode,
  jsonOf,
  messagesOf,
  SECRET,
  startService,
  type TestService,
  textOf,
  until,
} from './support.ts';

const open = closedAfterEach();

const puppet = (options: Partial<ServiceOptions> = {}) => startPuppet(open, options);

/** A connection that the test reads and breaks when it wants. */
class Wire {
  text = '';
  closed = false;
  readonly socket: Socket;

  constructor(
    service: TestService,
    method: string,
    path: string,
    body: object | undefined,
    headers: Record<string, string> = {},
  ) {
    this.socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text: string) => (this.text += text));
    this.socket.on('close', () => (this.closed = true));
    this.socket.on('error', () => {});
    const payload = body === undefined ? '' : JSON.stringify(body);
    const all = { host: 'x', authorization: `Bearer ${service.token}`, connection: 'close', ...headers };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    this.socket.write(
      `${[`${method} ${path} HTTP/1.1`, ...head, `content-length: ${Buffer.byteLength(payload)}`].join('\r\n')}\r\n\r\n${payload}`,
    );
  }

  until(wanted: string) {
    return until(() => this.text.includes(wanted));
  }

  get sse(): string {
    return this.text.slice(this.text.indexOf('\r\n\r\n') + 4).replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, '');
  }

  /** The id that a browser would send when it reconnects now. */
  get lastId(): string {
    return (
      this.sse
        .match(/^id: (\S+)$/gm)
        ?.at(-1)
        ?.slice(4) ?? ''
    );
  }
}

interface Listed {
  streams: { id: string; route: string; session_id: string; resumable: boolean; connected: boolean }[];
}
const listed = (service: TestService, path = '/api/v1/streams') => jsonOf<Listed>(service.get(path));
const eve = async () => ({ authorization: `Bearer ${await createToken(SECRET, { subject: 'eve' })}` });

describe('cancel', () => {
  test('stops the model, ends the stream and stores the partial answer', async () => {
    const { models, service } = await puppet();
    const wire = new Wire(service, 'POST', '/chat/stream', { message: 'Hello', session_id: 's' });
    await until(() => models.length === 1);
    let modelClosed = false;
    models[0]!.on('close', () => (modelClosed = true));
    models[0]!.write(say('so far'));
    await wire.until('so far');
    const { streams } = await listed(service);
    expect(streams).toEqual([
      expect.objectContaining({ route: 'chat-stream', session_id: 's', resumable: false }),
    ]);
    const [{ id }] = streams as [Listed['streams'][0]];
    expect(wire.text.toLowerCase()).toContain(`x-request-id: ${id}`);

    const cancelled = await service.post(`/api/v1/streams/${id}/cancel`, {});
    expect(await cancelled.json()).toEqual({ id, status: 'cancelled' });
    // Stored before the response of the cancellation.
    expect((await messagesOf(service, 's')).at(-1)).toMatchObject({
      content: 'so far',
      partial: true,
      reason: 'cancelled',
    });
    await until(() => modelClosed && wire.closed);
    expect(decode('conversation', wire.sse).events.at(-1)).toMatchObject({
      type: 'error',
      code: 'cancelled',
    });
    expect(wire.sse).toMatch(/data: \[DONE\]\n\n/);
    expect(await listed(service)).toEqual({ streams: [] });
    expect((await service.post(`/api/v1/streams/${id}/cancel`, {})).status).toBe(404);
    const metrics = await (await service.get('/metrics')).text();
    expect(metrics).toMatch(/completions_total\{route="chat-stream",status="cancelled"\} 1/);
  });

  test('is for the user’s own streams, and for those of a conversation', async () => {
    const { models, service } = await puppet();
    new Wire(service, 'POST', '/api/v1/conversations/c1/stream', { message: 'Hello' });
    await until(async () => (await listed(service)).streams.length === 1 && models.length === 1);
    const [{ id }] = (await listed(service)).streams as [Listed['streams'][0]];
    const headers = await eve();
    expect(await jsonOf(service.get('/api/v1/streams', { headers }))).toEqual({ streams: [] });
    expect((await service.post(`/api/v1/streams/${id}/cancel`, {}, { headers })).status).toBe(404);
    expect((await service.post(`/api/v1/streams/${id}/cancel`, {}, { headers: {} })).status).toBe(401);
    expect((await listed(service, '/api/v1/conversations/c2/streams')).streams).toEqual([]);
    expect((await service.post(`/api/v1/conversations/c2/streams/${id}/cancel`, {})).status).toBe(404);
    expect((await listed(service, '/api/v1/conversations/c1/streams')).streams).toHaveLength(1);
    expect((await service.post(`/api/v1/conversations/c1/streams/${id}/cancel`, {})).status).toBe(200);
  });

  test('before the first event: reported in the stream; of a whole answer: status 409', async () => {
    const server = await rawServer(() => {});
    open.push(server);
    const service = await startService([
      { name: 'silent', model: 'm', client: clientOf(`${server.url}/v1`) },
    ]);
    open.push(service);
    for (const path of ['/chat/stream', '/chat']) {
      const response = service.post(path, { message: 'x', session_id: 's' });
      await until(async () => (await listed(service)).streams.length === 1);
      const [{ id }] = (await listed(service)).streams as [Listed['streams'][0]];
      await service.post(`/api/v1/streams/${id}/cancel`, {});
      const { status } = await response;
      expect(status).toBe(path === '/chat' ? 409 : 200);
      expect(await (await response).text()).toContain('cancelled');
    }
  });
});

describe('a limit for connections', () => {
  test('cuts a connection; a resumable stream continues on the next one', async () => {
    const { models, service } = await puppet({ maxConnectionMs: 150 });
    const body = { message: 'Hello', session_id: 's', resumable: true };
    const first = new Wire(service, 'POST', '/chat/stream', body);
    await until(() => models.length === 1);
    models[0]!.write(say('one '));
    await until(() => first.closed);
    models[0]!.write(say('two') + finish);
    const headers = { 'last-event-id': first.lastId };
    const second = new Wire(service, 'POST', '/chat/stream', undefined, headers);
    await until(() => second.closed);
    expect(textOf(decode('conversation', first.sse + second.sse).events)).toBe('one two');
    expect((await messagesOf(service, 's')).at(-1)).not.toHaveProperty('partial');
  });

  test('ends a stream that cannot be resumed, as any client that leaves', async () => {
    const { models, service } = await puppet({ maxConnectionMs: 50 });
    const wire = new Wire(service, 'POST', '/chat/stream', { message: 'Hello', session_id: 's' });
    await until(() => models.length === 1);
    let modelClosed = false;
    models[0]!.on('close', () => (modelClosed = true));
    models[0]!.write(say('so far'));
    await until(() => wire.closed && modelClosed);
    await until(async () => (await messagesOf(service, 's')).length === 2);
    expect((await messagesOf(service, 's')).at(-1)).toMatchObject({ partial: true, reason: 'client_gone' });
  });
});

describe('resume', () => {
  const cases: [
    string,
    (id: string, lastId: string) => [string, string, object | undefined, Record<string, string>],
  ][] = [
    [
      'GET .../streams/{id}',
      (id, lastId) => ['GET', `/api/v1/streams/${id}`, undefined, { 'last-event-id': lastId }],
    ],
    [
      'the same POST again',
      (_, lastId) => ['POST', '/chat/stream', { message: 'Hello' }, { 'last-event-id': lastId }],
    ],
  ];
  test.each(cases)(
    '%s continues after the last event, without a gap and without a repetition',
    async (_, request) => {
      const { models, service } = await puppet();
      const first = new Wire(service, 'POST', '/chat/stream', {
        message: 'Hello',
        session_id: 's',
        resumable: true,
      });
      await until(() => models.length === 1);
      models[0]!.write(say('one '));
      await first.until('one ');
      first.socket.destroy();
      await until(async () => (await listed(service)).streams[0]?.connected === false);
      // The model continues while nobody is connected.
      models[0]!.write(say('two '));
      const id = first.lastId.split('.')[0]!;
      const second = new Wire(service, ...request(id, first.lastId));
      await second.until('two ');
      models[0]!.write(say('three') + finish);
      await until(() => second.closed);
      const both = first.sse + second.sse;
      const numbers = (both.match(/^id: .*\.(\d+)$/gm) ?? []).map((line) => Number(line.split('.').at(-1)));
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      expect(textOf(decode('conversation', both).events)).toBe('one two three');
      expect(second.sse).toMatch(/\[DONE\]\n\n/);
      expect((await messagesOf(service, 's')).at(-1)).toMatchObject({ content: 'one two three' });
      expect((await messagesOf(service, 's')).at(-1)).not.toHaveProperty('partial');
    },
  );

  test('an EventSource repeats its request with its used ticket; another ticket is refused', async () => {
    const { models, service } = await puppet();
    const body = { message: 'Hello', session_id: 's', resumable: true };
    const ticket = async () => (await jsonOf<{ url: string }>(service.post('/chat/tickets', body))).url;
    const [url, other] = [await ticket(), await ticket()];
    const none = { authorization: '' };
    const first = new Wire(service, 'GET', url, undefined, none);
    await until(() => models.length === 1);
    models[0]!.write(say('one '));
    await first.until('one ');
    first.socket.destroy();
    const headers = { ...none, 'last-event-id': first.lastId };
    const stolen = new Wire(service, 'GET', other, undefined, headers);
    await until(() => stolen.closed);
    expect(stolen.text).toMatch(/^HTTP\/1\.1 410 /);
    const second = new Wire(service, 'GET', url, undefined, headers);
    models[0]!.write(say('two') + finish);
    await until(() => second.closed);
    expect(textOf(decode('conversation', first.sse + second.sse).events)).toBe('one two');
  });

  test('works after the end too, and not for another user', async () => {
    const { models, service } = await puppet();
    const wire = new Wire(service, 'POST', '/chat/stream', { message: 'Hello', resumable: true });
    await until(() => models.length === 1);
    models[0]!.write(say('all') + finish);
    await until(() => wire.closed);
    const [, id = ''] = /x-request-id: (\S+)/i.exec(wire.text) ?? [];
    const again = await service.get(`/api/v1/streams/${id}`);
    expect(textOf(decode('conversation', await again.text()).events)).toBe('all');
    expect((await service.get(`/api/v1/streams/${id}`, { headers: await eve() })).status).toBe(410);
    expect((await service.get('/api/v1/streams/msg_none')).status).toBe(410);
  });

  test('is bounded in time: then the answer is stored as partial, and the model is stopped', async () => {
    const { models, service } = await puppet({ resumeWindowMs: 100 });
    const wire = new Wire(service, 'POST', '/chat/stream', {
      message: 'Hello',
      session_id: 's',
      resumable: true,
    });
    await until(() => models.length === 1);
    let modelClosed = false;
    models[0]!.on('close', () => (modelClosed = true));
    models[0]!.write(say('so far'));
    await wire.until('so far');
    const id = wire.lastId.split('.')[0]!;
    wire.socket.destroy();
    await until(() => modelClosed);
    await until(async () => (await listed(service)).streams.length === 0);
    expect((await messagesOf(service, 's')).at(-1)).toMatchObject({
      content: 'so far',
      reason: 'client_gone',
    });
    await until(async () => (await service.get(`/api/v1/streams/${id}`)).status === 410);
  });

  test('is bounded in size: the model waits while nobody reads, and nothing is lost', async () => {
    const { models, service } = await puppet({ resumeBytes: 4_000, maxUnreadBytes: 4_000 });
    const wire = new Wire(service, 'POST', '/chat/stream', { message: 'Hello', resumable: true });
    await until(() => models.length === 1);
    models[0]!.write(say('first'));
    await wire.until('first');
    const lastId = wire.lastId;
    wire.socket.destroy();
    await until(async () => (await listed(service)).streams[0]?.connected === false);
    const pieces = Array.from({ length: 400 }, (_, i) => `${i} `.padEnd(50, 'x'));
    models[0]!.write(pieces.map(say).join('') + finish);
    const rest = await service.get(`/api/v1/streams/${lastId.split('.')[0]}`, {
      headers: { authorization: `Bearer ${service.token}`, 'last-event-id': lastId },
    });
    expect(textOf(decode('conversation', await rest.text()).events)).toBe(pieces.join(''));
    // The beginning is no longer kept: it is not sent as if it were the whole.
    expect((await service.get(`/api/v1/streams/${lastId.split('.')[0]}`)).status).toBe(410);
  });

  test('a stream that is not resumable has no ids, and ends with its client', async () => {
    const { models, service } = await puppet();
    const wire = new Wire(service, 'POST', '/chat/stream', { message: 'Hello', session_id: 's' });
    await until(() => models.length === 1);
    models[0]!.write(say('so far'));
    await wire.until('so far');
    expect(wire.sse).not.toMatch(/^id:/m);
    wire.socket.destroy();
    await until(async () => (await listed(service)).streams.length === 0);
  });
});

describe('gzip', () => {
  /** A gzip reader that is given bytes as they arrive, as a browser does. */
  async function reader(service: TestService, path: string) {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    const body = JSON.stringify({ message: 'Hello', session_id: 's' });
    const seen = { head: '', text: '', bytes: 0, ended: false };
    const gunzip = createGunzip();
    gunzip.on('data', (piece: Buffer) => (seen.text += piece.toString()));
    gunzip.on('end', () => (seen.ended = true));
    let wire = Buffer.alloc(0);
    socket.on('data', (piece) => {
      wire = Buffer.concat([wire, piece as Buffer]);
      if (seen.head === '') {
        const end = wire.indexOf('\r\n\r\n');
        if (end === -1) return;
        seen.head = wire.subarray(0, end).toString();
        wire = wire.subarray(end + 4);
      }
      for (;;) {
        const line = wire.indexOf('\r\n');
        const size = Number.parseInt(wire.subarray(0, line).toString(), 16);
        if (line === -1 || wire.length < line + 2 + size + 2) return;
        if (size === 0) return void gunzip.end();
        seen.bytes += size;
        gunzip.write(wire.subarray(line + 2, line + 2 + size));
        wire = wire.subarray(line + 2 + size + 2);
      }
    });
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${service.token}\r\naccept-encoding: gzip, br\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    open.push({ close: async () => void socket.destroy() });
    return seen;
  }

  test('each event can be read when it arrives, and the end is complete', async () => {
    const { models, service } = await puppet();
    const seen = await reader(service, '/chat/stream');
    await until(() => models.length === 1);
    for (const text of ['one', 'two', 'three']) {
      models[0]!.write(say(text));
      // Each is waited for before the model sends the next.
      await until(() => seen.text.includes(text));
    }
    expect(seen.head.toLowerCase()).toContain('content-encoding: gzip');
    expect(seen.head.toLowerCase()).toContain('vary: accept-encoding');
    models[0]!.write(finish);
    await until(() => seen.ended);
    expect(textOf(decode('conversation', seen.text).events)).toBe('onetwothree');
    expect(seen.bytes).toBeGreaterThan(0);
  });

  test('without a flush nothing arrives before the end', async () => {
    const { models, service } = await puppet();
    const seen = await reader(service, '/api/v1/conversations/c/stream-debug?flush=off');
    await until(() => models.length === 1);
    const texts = Array.from({ length: 20 }, (_, i) => `word${i} `);
    for (const text of texts) models[0]!.write(say(text));
    const given = () => service.get('/metrics?name[]=streambench_service_chunks_total');
    await until(async () => (await (await given()).text()).includes('chunks_total 20'));
    await until(() => seen.head !== '');
    expect(seen.text).toBe('');
    models[0]!.write(finish);
    await until(() => seen.ended);
    expect(textOf(decode('conversation', seen.text).events)).toBe(texts.join(''));
  });

  test('is used only if the client accepts it, and our client does not ask for it', async () => {
    const { models, service } = await puppet();
    const ask = async (encoding: string) => {
      const response = service.post(
        '/chat/stream',
        { message: 'x' },
        {
          headers: { authorization: `Bearer ${service.token}`, 'accept-encoding': encoding },
        },
      );
      const before = models.length;
      await until(() => models.length > before);
      models.at(-1)!.write(say('x') + finish);
      const { headers } = await response;
      await (await response).text();
      return headers.get('content-encoding');
    };
    for (const encoding of ['identity', 'gzip;q=0', 'br', 'identity, *;q=0'])
      expect(await ask(encoding)).toBeNull();
    for (const encoding of ['gzip', 'br, gzip;q=0.5', '*']) expect(await ask(encoding)).toBe('gzip');
  });

  test('a large answer is whole for a reader that pauses', async () => {
    const { models, service } = await puppet();
    const wire = connect(Number(new URL(service.url).port), '127.0.0.1');
    const body = JSON.stringify({ message: 'Hello' });
    const pieces: Buffer[] = [];
    wire.write(
      `POST /chat/stream HTTP/1.0\r\nhost: x\r\nauthorization: Bearer ${service.token}\r\naccept-encoding: gzip\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    wire.pause();
    await until(() => models.length === 1);
    const texts = Array.from({ length: 3_000 }, (_, i) => `${(i * 7919) % 100_003} ${Math.sin(i)} `);
    models[0]!.write(texts.map(say).join('') + finish);
    await new Promise((resolve) => setTimeout(resolve, 200));
    wire.on('data', (piece) => pieces.push(piece as Buffer));
    const closed = new Promise((resolve) => wire.once('close', resolve));
    wire.resume();
    await closed;
    const all = Buffer.concat(pieces);
    const sse = gunzipSync(all.subarray(all.indexOf('\r\n\r\n') + 4)).toString();
    expect(textOf(decode('conversation', sse).events)).toBe(texts.join(''));
  });
});

test('text_buffer_ms joins the texts of a fast model, and loses none', async () => {
  const { models, service } = await puppet();
  const wire = new Wire(service, 'POST', '/chat/stream', { message: 'Hello', text_buffer_ms: 5_000 });
  await until(() => models.length === 1);
  models[0]!.write(say('a'));
  await wire.until('"content":"a"');
  models[0]!.write(say('b') + say('c') + finish);
  await until(() => wire.closed);
  const texts = decode('conversation', wire.sse).events.flatMap((event) =>
    event.type === 'message_chunk' ? [event.text] : [],
  );
  expect(texts).toEqual(['a', 'bc']);
});
