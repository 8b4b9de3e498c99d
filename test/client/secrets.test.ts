import { afterEach, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { leaks } from '../support/canary.ts';
import {
  CHUNKED_END,
  chatChunk,
  chunked,
  type RawServer,
  rawServer,
  SSE_HEAD,
} from '../support/raw-server.ts';

/** What the client keeps of an answer that sends its own request back. */

const open: RawServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function echoed(options: Partial<ClientOptions>, query = ''): Promise<{ sent: string; kept: string }> {
  const server = await rawServer((socket, request) => {
    const head = request.slice(0, request.indexOf('\r\n\r\n')).replaceAll('\r\n', ' | ');
    socket.end(
      SSE_HEAD.replace('\r\n', `\r\nserver: ${head}\r\n`) +
        chunked(chatChunk({ content: head.slice(0, 90) })) +
        chunked(chatChunk({ content: head.slice(90) }, head)) +
        chunked(`data: ${JSON.stringify({ error: { message: head, code: head } })}\n\n`) +
        CHUNKED_END,
    );
  });
  open.push(server);
  const client = createClient({
    baseUrl: `${server.url}/v1${query}`,
    dialect: 'openai-chat',
    model: 'm',
    ...options,
  });
  const { observation } = await client.complete({ prompt: 'hi' });
  const streamed = await client.stream({ prompt: 'hi' }).result;
  client.close();
  return { sent: server.requests.join('\n'), kept: JSON.stringify([observation, streamed]) };
}

test('a token derived from the key', async () => {
  const apiKey = 'id4711abcdef.Zk8sV2nQ5rT1yU7i';
  const { sent, kept } = await echoed({ apiKey, auth: 'zhipu-jwt' });
  const [, token] = /authorization: Bearer (\S+)/.exec(sent)!;
  expect(token!.split('.')).toHaveLength(3);
  expect(kept).toContain('[token]');
  expect(leaks(kept, token)).toEqual([]);
  expect(leaks(kept, apiKey)).toEqual([]);
});

test('headers and a parameter of the URL', async () => {
  const [cookie, token, tenant] = ['sid=Wm3kP9xL2v', 'Qb7nT4zR8y', 'acme-research-4'];
  const { sent, kept } = await echoed(
    { headers: { cookie, 'x-tenant': tenant, accept: 'text/event-stream' } },
    `?token=${token}`,
  );
  for (const secret of [cookie, token, tenant]) {
    expect(sent).toContain(secret);
    expect(kept).not.toContain(secret);
  }
  expect(kept).toContain('accept: text/event-stream');
});
