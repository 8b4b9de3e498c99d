import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { percentileOf } from '../../src/metrics/percentile.ts';
import type { Emitted } from './emitter.ts';
import { honestyTable, measureHonesty } from './honesty.ts';
import { type Cell, type Measured, peersTable } from './peers-table.ts';
import { costOf } from './process-cost.ts';
import type { Figures, Tool } from './tools/tool.ts';
import { TOOLS } from './tools.ts';

const HELP = `What streambench and other tools report of the same streams, next to what the server sent; and what they cost.

  --streams LIST   streams at once (default 50,200)
  --rounds N       rounds in which the tools take turns (default 3)
  --tools LIST     only these (default: all that are installed)
  --tokens N       events of an answer (default 100)
  --every MS       time between them (default 20)
  --turns N        answers of each stream (default 3)
  --honesty        instead: what each tool reports about faulty and unusual answers, ten of each kind
  --json           one JSON document on stdout

Tools are looked for in PATH. One that is not there is skipped, with the reason.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    streams: { type: 'string', default: '50,200' },
    rounds: { type: 'string', default: '3' },
    tools: { type: 'string' },
    tokens: { type: 'string', default: '100' },
    every: { type: 'string', default: '20' },
    turns: { type: 'string', default: '3' },
    honesty: { type: 'boolean' },
    json: { type: 'boolean' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const FIRST_MS = 100;
const tokens = Number(values.tokens);
const everyMs = Number(values.every);
const levels = values.streams.split(',').map(Number);
const rounds = Number(values.rounds);
const [loadBefore = 0] = loadavg();
const { found, skipped } = await findTools(values.tools?.split(','));
if (values.honesty) {
  const tools = found.map(({ tool }) => tool);
  const results = await measureHonesty(tools, note);
  note('');
  const versions = found.map(({ tool, version }) => `${tool.name} ${version}`);
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ schema: 'streambench/honesty@1', versions, skipped, results }, null, 2)}\n`
      : `${[versions.join(', '), '', honestyTable(results, tools), '', ...skipped.map(({ tool, reason }) => `skipped ${tool}: ${reason}`)].join('\n')}\n`,
  );
  process.exit(0);
}
const emitter = fork(new URL('./emitter.js', import.meta.url), [FIRST_MS, tokens, everyMs].map(String), {
  serialization: 'advanced',
});
const { port } = await reply<{ port: number }>();

const cells: Cell[] = [];
for (const streams of levels) {
  const ofLevel = found.map(({ tool }): Cell => ({ tool: tool.name, streams, rounds: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, { tool }] of found.entries()) {
      note(`${streams} streams, round ${round + 1} of ${rounds}: ${tool.name}`);
      ofLevel[index]?.rounds.push(await measure(tool, streams));
    }
  }
  cells.push(...ofLevel);
}
emitter.disconnect();
note('');

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  loadBefore,
};
const versions = found.map(({ tool, version }) => ({ tool: tool.name, version }));
if (values.json) {
  const setting = {
    streams: levels,
    rounds,
    tokens,
    firstMs: FIRST_MS,
    everyMs,
    turns: Number(values.turns),
  };
  const document = { schema: 'streambench/peers@1', machine, setting, versions, skipped, cells };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
} else {
  const lines = [
    `${machine.cores} cores, ${machine.cpu}, load ${loadBefore.toFixed(1)} at the start; medians of ${rounds} interleaved rounds`,
    `${tokens} events an answer, the first after ${FIRST_MS} ms, then every ${everyMs} ms; ${values.turns} answers a stream`,
    versions.map(({ tool, version }) => `${tool} ${version}`).join(', '),
    '',
    peersTable(cells),
    '',
    'Errors are what the tool reported minus what the server sent: of the p50 and of the p99 over all requests, or over all gaps.',
    'CPU and memory are of the whole process tree; overhead is the time that the tool ran before the first request and after the last event.',
    ...skipped.map(({ tool, reason }) => `skipped ${tool}: ${reason}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function findTools(only: readonly string[] | undefined) {
  const unknown = only?.find((name) => TOOLS.every((tool) => tool.name !== name));
  if (unknown !== undefined) {
    process.stderr.write(`unknown tool "${unknown}"; known: ${TOOLS.map(({ name }) => name).join(', ')}\n`);
    process.exit(2);
  }
  const chosen = TOOLS.filter(({ name, onlyNamed }) => only?.includes(name) ?? !onlyNamed);
  const looked = await Promise.all(chosen.map(async (tool) => ({ tool, result: await tool.find() })));
  return {
    found: looked.flatMap(({ tool, result }) =>
      'version' in result ? [{ tool, version: result.version }] : [],
    ),
    skipped: looked.flatMap(({ tool, result }) =>
      'skipped' in result ? [{ tool: tool.name, reason: result.skipped }] : [],
    ),
  };
}

async function measure(tool: Tool, streams: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'streambench-peers-'));
  const load = { port, streams, requests: streams * Number(values.turns), tokens, folder: join(folder, '.') };
  try {
    await emitted();
    const command = tool.command(load);
    const end = tool.during?.();
    const cost = await costOf(command, { cwd: folder, env: tool.env, limitMs: 300_000 });
    end?.();
    const truth = await emitted();
    if (cost.code !== 0 || truth.firstRequestAt === null || truth.lastEventAt === null) {
      const last = (cost.stderr.trim() || cost.stdout.trim()).split('\n').at(-1) ?? '';
      return { failure: `exit ${cost.code}: ${last.slice(0, 200)}` };
    }
    const reported = tool.read(load);
    return {
      answers: truth.answers,
      ok: reported.ok,
      ttftError: difference(reported.ttft, figuresOf(truth.ttftMs)),
      gapError: difference(reported.gap, figuresOf(truth.gapsMs)),
      cpuPerEventUs: cost.cpuMs === null ? null : (cost.cpuMs * 1000) / truth.events,
      peakMb: cost.peakBytes / 1e6,
      startMs: truth.firstRequestAt - cost.startedAt,
      overheadMs: cost.endedAt - cost.startedAt - (truth.lastEventAt - truth.firstRequestAt),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the emitter did since the last call. */
function emitted(): Promise<Emitted> {
  const answer = reply<Emitted>();
  emitter.send('report');
  return answer;
}

function reply<T>(): Promise<T> {
  return new Promise((resolve) => emitter.once('message', (message) => resolve(message as T)));
}

function figuresOf(values: Float64Array): Figures | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted();
  return { p50: percentileOf(sorted, 0.5), p99: percentileOf(sorted, 0.99) };
}

function difference(reported: Figures | null, truth: Figures | null): Figures | null {
  return reported && truth && { p50: reported.p50 - truth.p50, p99: reported.p99 - truth.p99 };
}

/** What is being measured, where someone is looking. */
function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
