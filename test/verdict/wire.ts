import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createClient } from '../../src/client/client.ts';
import type { Mode, RequestRecord } from '../../src/model/record.ts';
import { roundRecord } from '../../src/results/round-record.ts';
import { type Extent, LENGTHS, type Measured } from './simulation.ts';

/** The same kinds over real sockets: the emitter plays them, the client measures them. */

/** Starts the emitter in a process of its own. */
export async function startEmitter(seed: number): Promise<{ url: string; process: ChildProcess }> {
  const path = fileURLToPath(new URL('./emitter.js', import.meta.url));
  const child = spawn(process.execPath, [path, String(seed)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  return { url: `http://127.0.0.1:${port.trim()}`, process: child };
}

/** Measures one service, request after request: streams, whole answers and the two lengths. */
export async function measure(url: string, kind: number, service: number, extent: Extent): Promise<Measured> {
  const client = createClient({
    baseUrl: `${url}/${kind}/${service}/v1`,
    dialect: 'openai-chat',
    model: 'm',
  });
  const one = async (mode: Mode, maxTokens?: number): Promise<RequestRecord> => {
    const ask = { prompt: 'x', maxTokens, keepText: false };
    const observation =
      mode === 'streaming' ? await client.stream(ask).result : (await client.complete(ask)).observation;
    const cell = {
      schema: 'streambench/record@1',
      seq: 0,
      round: 0,
      target: 't',
      prompt: 'p',
      concurrency: 1,
    } as const;
    return roundRecord({ ...cell, ...observation });
  };
  const streams: RequestRecord[] = [];
  const whole: RequestRecord[] = [];
  const lengths = new Map<number, RequestRecord[]>(LENGTHS.map((tokens) => [tokens, []]));
  for (let i = 0; i < extent.streams; i++) {
    streams.push(await one('streaming'));
    whole.push(await one('non-streaming'));
  }
  for (let i = 0; i < extent.perLength; i++)
    for (const [tokens, records] of lengths) records.push(await one('streaming', tokens));
  client.close();
  return { streams, whole, lengths };
}
