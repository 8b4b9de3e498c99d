import { createClient, type StreamClient } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import type { Observation, Outcome } from '../../src/model/record.ts';
import type { Fault } from './fault.ts';
import { faultServer } from './server.ts';

/** What the client said of a fault, and what became of the next request. */
export interface Seen {
  fault: Fault;
  outcome: Outcome;
  text: string;
  /** Wall-clock time of the faulty request in ms. */
  tookMs: number;
  /** The next request on the same client. */
  next: Outcome;
  nextText: string;
}

// Far above what an answer takes on a busy machine: only faults that are about time have limits of their own.
const TIMEOUTS = { connectMs: 15_000, firstByteMs: 15_000, idleMs: 15_000, totalMs: 20_000 };

/** How often the next request is tried: the limits of faults that are about time are short for a busy machine. */
const TRIES = 5;

/** Runs the real client against one fault, and then once more against the same server. */
export async function examine(fault: Fault): Promise<Seen> {
  const server = await faultServer(fault);
  const { dialect = 'openai-chat' } = fault;
  const { timeouts, ...more }: Partial<ClientOptions> = fault.client?.({ port: server.port }) ?? {};
  const client = createClient({
    baseUrl: server.origin,
    path: 'exact',
    dialect,
    auth: 'none',
    model: 'm',
    method: 'POST',
    timeouts: { ...TIMEOUTS, ...timeouts },
    ...(fault.listening === 'h2' && { connect: { http: 2 } }),
    ...more,
  });
  try {
    // Where it fails, the request opens a connection of its own.
    if (fault.warm) await client.warm(1).catch(() => {});
    const startedAt = performance.now();
    const { outcome, text = '' } = await ask(client, fault, fault.cancel);
    const tookMs = performance.now() - startedAt;
    await server.heal();
    if (fault.pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.pauseMs));
    let next = await ask(client, fault);
    for (let tries = 1; next.outcome.kind === 'timeout' && timeouts !== undefined && tries < TRIES; tries++) {
      next = await ask(client, fault);
    }
    const said = (from: Outcome) => withoutPort(from, server.port);
    return {
      fault,
      outcome: said(outcome),
      text,
      tookMs,
      next: said(next.outcome),
      nextText: next.text ?? '',
    };
  } finally {
    client.close();
    await server.close();
  }
}

async function ask(client: StreamClient, { mode }: Fault, cancel?: true): Promise<Observation> {
  if (mode === 'non-streaming') return (await client.complete({ prompt: 'hi' })).observation;
  const stream = client.stream({ prompt: 'hi' });
  if (cancel) {
    for await (const event of stream) if (event.type === 'message_chunk') break;
  }
  return stream.result;
}

function withoutPort(outcome: Outcome, port: number): Outcome {
  return JSON.parse(JSON.stringify(outcome).replaceAll(String(port), 'PORT')) as Outcome;
}
