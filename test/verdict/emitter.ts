import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRandom } from '../../src/model/seeded-random.ts';
import { FAKE_KINDS } from './fake-kinds.ts';
import type { Ask, Sent } from './generator.ts';
import { REAL_KINDS } from './real-kinds.ts';

/**
 * A server, in a process of its own, that answers in the OpenAI dialect with the timing of any kind. The path names kind
 * and service: `/3/0/v1/chat/completions`. Its argument is a seed. Prints its port.
 */

const KINDS = [...REAL_KINDS, ...FAKE_KINDS];
const SEED = Number(process.argv[2] ?? 5);
const services = new Map<string, (ask: Ask) => Sent>();

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => answer(request, body, response));
});

function answer(request: IncomingMessage, body: string, response: ServerResponse): void {
  const [, kind = '', service = ''] = (request.url ?? '').split('/');
  const { max_tokens: tokens, stream } = JSON.parse(body) as { max_tokens?: number; stream?: boolean };
  const sent = serviceOf(Number(kind), Number(service))({ tokens });
  if (stream === true) play(sent, response);
  else setTimeout(() => whole(sent, response), sent.wholeMs);
}

function serviceOf(kind: number, service: number): (ask: Ask) => Sent {
  const name = `${kind}/${service}`;
  const made = services.get(name) ?? KINDS[kind]!.service(createRandom(SEED + 1000 * kind + 7919 * service));
  services.set(name, made);
  return made;
}

const HEAD = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' };

function play({ at, chars, hiddenReasoning }: Sent, response: ServerResponse): void {
  const startedAt = performance.now();
  response.socket?.setNoDelay(true);
  response.writeHead(200, HEAD).flushHeaders();
  const text = 'x'.repeat(chars);
  const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
  let next = 0;
  const step = () => {
    const now = performance.now() - startedAt;
    let due = next;
    while (due < at.length && at[due]! <= now) due++;
    if (due > next) response.write(event.repeat(due - next));
    next = due;
    if (next < at.length) setTimeout(step, at[next]! - (performance.now() - startedAt));
    else response.end(ending(at.length, hiddenReasoning === true));
  };
  setTimeout(step, at[0]);
}

function ending(events: number, hidden: boolean): string {
  const usage = {
    prompt_tokens: 20,
    completion_tokens: events + (hidden ? 500 : 0),
    ...(hidden && { completion_tokens_details: { reasoning_tokens: 500 } }),
  };
  const last = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage };
  return `data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`;
}

function whole({ at, chars }: Sent, response: ServerResponse): void {
  const message = { role: 'assistant', content: 'x'.repeat(chars * at.length) };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }));
}

server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : '');
});
