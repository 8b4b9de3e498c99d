// The reference service against the model behind it, in one run each: what it adds at 20 streams, whether 500 streams of
// 50 chunks a second are whole, its CPU time per chunk beside that of a bare relay, whether 20,000 streams leave anything
// behind, and what `kill -9` loses. Needs a build, and a quiet machine:
//
//     npm run build && node benchmarks/service.mjs [added] [many] [cpu] [endurance] [kills]
//
// Exits with 1 when a target is missed. `--streams N` shortens the last one.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadScenario, runScenario } from '../dist/bench.js';
import { measureCpu } from './service-cpu.mjs';
import { measureKills } from './service-kills.mjs';

const SCENARIO = new URL('../scenarios/service-goals.yaml', import.meta.url).pathname;
const args = process.argv.slice(2);
const streamsAt = args.indexOf('--streams');
const endured = streamsAt === -1 ? 20_000 : Number(args[streamsAt + 1]);
const asked = (streamsAt === -1 ? args : args.toSpliced(streamsAt, 2)).filter(
  (name) => name in measurements(),
);
const output = await mkdtemp(join(tmpdir(), 'streambench-bench-'));
let missed = 0;

async function run(overrides) {
  const from = 'bench';
  const all = Object.entries({ thresholds: [], ...overrides });
  const loaded = loadScenario(SCENARIO, {
    env: {},
    overrides: all.map(([path, value]) => ({ path, value, from })),
  });
  const { report, folder } = await runScenario(loaded, { output });
  const cell = (target) => report.cells.find((one) => one.target === target);
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  return { direct: cell('direct'), service: cell('service'), manifest };
}

function tell(what, value, limit, unit, holds = value < limit) {
  if (!holds) missed++;
  const shown = typeof value === 'number' ? value.toFixed(2) : value;
  process.stdout.write(`${holds ? 'pass' : 'MISS'}  ${what}: ${shown} ${unit} (target ${limit})\n`);
}

function pace(name, { direct, service }) {
  const row = ({ metrics: { ttft, gap, chunk_rate: rate }, outcomes, client }) =>
    `TTFT p50 ${ttft.p50} p95 ${ttft.p95}, gap p99 ${gap.p99}, chunks/s p50 ${rate.p50} min ${rate.min}, ${JSON.stringify(outcomes)}, client ${client.verdict}`;
  process.stdout.write(`${name}\n  direct   ${row(direct)}\n  service  ${row(service)}\n`);
}

function measurements() {
  return { added, many, cpu, endurance, kills };
}

/** What the service adds at 20 streams; short answers, so that few requests are sent in step. */
async function added() {
  const result = await run({
    'load.concurrency': 20,
    'load.requests': 4_000,
    'load.warmup': 200,
    'prompts.chat.maxTokens': 30,
  });
  pace('20 streams, 4,000 answers of up to 30 chunks', result);
  const { direct, service } = result;
  tell('added to TTFT p95', service.metrics.ttft.p95 - direct.metrics.ttft.p95, 5, 'ms');
  tell('added to TTFT p50', service.metrics.ttft.p50 - direct.metrics.ttft.p50, 5, 'ms');
  tell('added to gap p99', service.metrics.gap.p99 - direct.metrics.gap.p99, 3, 'ms');
}

/** 500 streams of 50 chunks a second, and nothing lost. */
async function many() {
  const tokens = 200;
  const requests = 2_000;
  const result = await run({
    'load.concurrency': 500,
    'load.requests': requests,
    'load.rounds': 2,
    'load.warmup': 500,
    'prompts.chat.maxTokens': tokens,
    'simulator.profiles.brisk': { ttft: '30ms', gap: '20ms', tokens },
  });
  pace(`500 streams of 50 chunks a second, ${requests} answers of ${tokens} chunks`, result);
  const { direct, service } = result;
  const { chunks, chunk_rate: rate } = service.metrics;
  tell('answers that came whole', service.outcomes.ok ?? 0, requests, '', service.outcomes.ok === requests);
  tell('chunks of the shortest answer', chunks.min, direct.metrics.chunks.min, '', chunks.min === tokens);
  tell('chunks a second, p50', rate.p50, '49', '/s', rate.p50 >= 49);
  tell('memory a stream', service.server.memoryPerStreamBytes / 1e6, 1, 'MB');
}

/** The CPU time of a chunk, beside that of a relay that reads nothing. */
async function cpu() {
  const { streams, chunks, relayMicros, serviceMicros, ratios } = await measureCpu();
  process.stdout.write(
    `${chunks} chunks in ${streams} streams: relay ${relayMicros.toFixed(1)} us, service ${serviceMicros.toFixed(1)} us of CPU time for a chunk; ratio of each round ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}\n`,
  );
  tell('CPU time for a chunk, times that of a bare relay', serviceMicros / relayMicros, 2, '');
}

/** What was promised: the user's message, a complete answer, and with every-chunk all text that a client has received. */
async function kills() {
  const { kills: times, unsound, sessions, complete, messages, answers, texts } = await measureKills();
  process.stdout.write(
    `killed ${times} times, ${sessions} answers received, ${complete} of them to their end\n`,
  );
  tell('unsound databases', unsound, 1, '');
  tell('messages of users lost', messages, 1, '');
  tell('complete answers lost', answers, 1, '');
  tell('received texts lost with every-chunk', texts, 1, '');
}

/** Many streams on few connections: what a leak would show in. */
async function endurance() {
  const rounds = 10;
  const { service, manifest } = await run({
    targets: [{ name: 'service', service: { endpoint: 'conversation', upstream: { model: 'brisk' } } }],
    'load.concurrency': 100,
    'load.requests': endured,
    'load.rounds': rounds,
    'load.warmup': 200,
    'prompts.chat.maxTokens': 10,
    'simulator.profiles.brisk': { ttft: '5ms', gap: '5ms', tokens: 10 },
  });
  const loads = manifest.serverLoads.toSorted((a, b) => a.round - b.round);
  process.stdout.write(`${endured} streams, 100 at once, in ${rounds} rounds\n`);
  for (const { round, memoryBytes, openFiles } of loads) {
    process.stdout.write(
      `  round ${round + 1}: ${(memoryBytes / 1e6).toFixed(0)} MB, ${openFiles} open files\n`,
    );
  }
  // A heap takes a while to find its size; what matters is that it then keeps it.
  const half = loads.slice(rounds / 2);
  const grown = (half.at(-1).memoryBytes - half[0].memoryBytes) / 1e6;
  tell('answers that came whole', service.outcomes.ok ?? 0, endured, '', service.outcomes.ok === endured);
  tell('memory grown in the second half', grown, 10, 'MB');
  tell('open files grown since the first round', loads.at(-1).openFiles - loads[0].openFiles, 3, '');
}

try {
  const chosen = asked.length === 0 ? Object.keys(measurements()) : asked;
  for (const name of chosen) await measurements()[name]();
} finally {
  await rm(output, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;
