// CPU time per chunk of the service, beside that of a bare Node.js relay in front of the same model, in interleaved
// rounds. CPU time, unlike latency, can also be compared on a machine that does other things.

import { fork } from 'node:child_process';
import { Agent, request } from 'node:http';
import { startEmbeddedService } from '../dist/service/index.js';
import { startEmbeddedSimulator } from '../dist/simulator/index.js';

const STREAMS = 100;
const TOKENS = 200;
const GAP_MS = 20;
const ROUNDS = 6;

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/** Sends one request and reads its answer to the end. Resolves with its bytes. */
function send(url, headers, body) {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } };
    const sent = request(url, options, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk) => (bytes += chunk.byteLength));
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve(bytes) : reject(new Error(`status ${answer.statusCode}`)),
      );
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

/** One answer in each stream. They start spread over a few gaps, so that they do not run in step. */
async function load(one) {
  await Promise.all(
    Array.from({ length: STREAMS }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, (i * 3 * GAP_MS) / STREAMS));
      await one(i);
    }),
  );
}

async function cpuSeconds(origin) {
  const response = await fetch(`${origin}/metrics?name[]=process_cpu_seconds_total`);
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(await response.text())[1]);
}

function steady(mean) {
  return { shape: 'constant', mean, sd: 0 };
}

/** The CPU time per chunk of both over all rounds, in microseconds, and the ratio of each round. */
export async function measureCpu() {
  const profile = { ttft: steady(30), gap: steady(GAP_MS), tokens: steady(TOKENS) };
  const simulator = await startEmbeddedSimulator({ profiles: { brisk: profile } });
  const relay = fork(new URL('relay.mjs', import.meta.url), [simulator.url], { execArgv: [] });
  const { url: relayUrl } = await new Promise((resolve) => relay.once('message', resolve));
  const client = { baseUrl: `${simulator.url}/v1`, dialect: 'openai-chat' };
  const service = await startEmbeddedService({
    upstreams: [{ name: 'simulator', model: 'brisk', client }],
    historyMessages: 0,
  });
  const authorization = `Bearer ${service.token}`;
  const targets = {
    relay: {
      origin: relayUrl,
      one: (i) =>
        send(
          `${relayUrl}/v1/chat/completions`,
          {},
          {
            model: 'brisk',
            stream: true,
            messages: [{ role: 'user', content: `Hello ${i}` }],
          },
        ),
    },
    service: {
      origin: service.url,
      one: (i) =>
        send(
          `${service.url}/api/v1/conversations/c${i}/stream`,
          { authorization },
          { message: `Hello ${i}` },
        ),
    },
  };
  const used = { relay: [], service: [] };
  try {
    for (const { one } of Object.values(targets)) await load(one);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, { origin, one }] of Object.entries(targets)) {
        const before = await cpuSeconds(origin);
        await load(one);
        used[name].push((((await cpuSeconds(origin)) - before) / (STREAMS * TOKENS)) * 1e6);
      }
    }
  } finally {
    agent.destroy();
    relay.disconnect();
    await service.close();
    await simulator.close();
  }
  return {
    streams: STREAMS,
    chunks: STREAMS * TOKENS * ROUNDS,
    relayMicros: mean(used.relay),
    serviceMicros: mean(used.service),
    ratios: used.service.map((value, round) => value / used.relay[round]),
  };
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
