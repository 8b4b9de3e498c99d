import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/model/errors.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { decodeReads } from '../wire/streams.ts';
import { call, chatBody, open, requestBytes } from './raw-client.ts';
import { CHAT, lastEntry, quick, start } from './start.ts';

describe('failures of a profile', () => {
  const failing = (kind: 'http_500' | 'http_429' | 'inband' | 'truncate') =>
    start({ bad: { ...quick, error: { rate: 1, kind } } });

  it('http_429 and http_500 have the error body of the dialect', async () => {
    for (const [kind, status] of [
      ['http_429', 429],
      ['http_500', 500],
    ] as const) {
      const { simulator, port } = await failing(kind);
      const response = await call(port, 'POST', CHAT, chatBody('bad'));
      expect(response.status).toBe(status);
      expect(response.headers['retry-after']).toBe(status === 429 ? '1' : undefined);
      expect(JSON.parse(response.body).error.message).toContain('simulated');
      expect(await lastEntry(simulator)).toMatchObject({ outcome: 'http_error', status, text: '' });
    }
  });

  it('inband: a 200, some text, an error, no end', async () => {
    const { simulator, port } = await failing('inband');
    const { status, body, whole } = await call(port, 'POST', CHAT, chatBody('bad'));
    expect({ status, whole }).toEqual({ status: 200, whole: true });
    const answer = gather(decodeReads(getDialect('openai-chat'), [Buffer.from(body)]));
    expect(answer.error?.message).toContain('simulated');
    expect(answer.complete).toBeUndefined();
    expect(await lastEntry(simulator)).toMatchObject({ outcome: 'inband_error', text: answer.text });
  });

  it('truncate: a stream ends without its end, a whole answer without its second half', async () => {
    const { simulator, port } = await failing('truncate');
    const stream = await call(port, 'POST', CHAT, chatBody('bad'));
    expect(stream.whole).toBe(true);
    expect(stream.body).toContain('"content":"');
    expect(stream.body).not.toMatch(/\[DONE\]|"finish_reason":"|usage/);
    expect(await lastEntry(simulator)).toMatchObject({ outcome: 'truncated' });
    const whole = await call(port, 'POST', CHAT, chatBody('bad', undefined, { stream: false }));
    expect(whole.whole).toBe(false);
    expect(Buffer.byteLength(whole.body)).toBe(Number(whole.headers['content-length']) >> 1);
    expect(await lastEntry(simulator, 2)).toMatchObject({ outcome: 'truncated', mode: 'whole' });
  });
});

describe('an invalid request', () => {
  it('is refused and counted', async () => {
    const { simulator, port } = await start();
    expect(await call(port, 'POST', '/nowhere', {})).toMatchObject({ status: 404 });
    expect(await call(port, 'GET', '//')).toMatchObject({ status: 404 });
    expect(await call(port, 'PUT', CHAT, chatBody('m'))).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
    });
    const broken = await call(port, 'POST', CHAT, '{"model": "m", ');
    expect(broken.status).toBe(400);
    expect(JSON.parse(broken.body).error.message).toContain('openai-chat');
    expect(await call(port, 'POST', CHAT, 'x'.repeat(10 * 1024 * 1024 + 1))).toMatchObject({ status: 413 });
    expect(simulator.stats).toMatchObject({ refused: 5, requests: 0 });
    expect(simulator.log).toEqual([]);
  });

  it('may break off in the middle of its body', async () => {
    const { simulator, port } = await start();
    const socket = await open(port);
    socket.write(requestBytes('POST', CHAT, chatBody('m')).slice(0, -10));
    await expect.poll(() => simulator.stats.connections).toBe(1);
    socket.destroy();
    expect(await call(port, 'GET', '/health')).toMatchObject({ status: 200 });
    expect(simulator.stats).toMatchObject({ requests: 0, active: 0 });
  });

  it('does not affect the other pages', async () => {
    const { port } = await start({ mine: quick });
    expect(JSON.parse((await call(port, 'GET', '/health')).body)).toMatchObject({ status: 'ok' });
    const models = JSON.parse((await call(port, 'GET', '/v1/models')).body).data.map(
      ({ id }: { id: string }) => id,
    );
    expect(models).toEqual(expect.arrayContaining(['default', 'glm-4-flash', 'instant', 'mine']));
  });
});

describe('listen', () => {
  it('names a port that is in use, and the remedy', async () => {
    const { port } = await start();
    const second = createSimulator();
    const failure = await second.listen(port).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as UserError).code).toBe('port_in_use');
    expect((failure as UserError).message).toContain(`port ${port}`);
    expect((failure as UserError).message).toContain('or 0 for any free one');
  });

  it('distinguishes a foreign address from a port in use', async () => {
    const failure = await createSimulator()
      .listen(0, '192.0.2.1')
      .catch((error: unknown) => error);
    expect((failure as UserError).code).toBe('usage');
  });
});
