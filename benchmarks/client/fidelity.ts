import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import {
  findLimits,
  measureLags,
  measureMemory,
  measureThreads,
  type Setting,
  startServer,
} from './fidelity-run.ts';
import { measureStartup } from './fidelity-start.ts';
import { lagTable, limitTable, memoryTable, startLines, threadsTable } from './fidelity-tables.ts';

const HELP = `How late readers of many streams stamp what they read, beside a bare socket; what it costs; how long it takes to start.

  --json           one JSON document on stdout
  --levels LIST    streams at once (default 50,200,500,1000), 50 events/s each
  --rounds N       rounds in which the readers take turns (default 4)
  --window-ms N    length of a window (default 1200)
  --workers N      also read the same levels with one thread and with N, in turns
  --memory-minutes N   also read for so long and tell the resident memory at the start, in the middle and at the end
  --memory-streams N   streams at once in that (default 200); each lasts 20 s and is followed by the next
  --skip-lags      nothing but what the options above ask for
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    json: { type: 'boolean' },
    levels: { type: 'string', default: '50,200,500,1000' },
    rounds: { type: 'string', default: '4' },
    'window-ms': { type: 'string', default: '1200' },
    workers: { type: 'string' },
    'memory-minutes': { type: 'string' },
    'memory-streams': { type: 'string', default: '200' },
    'skip-lags': { type: 'boolean' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const setting: Setting = {
  levels: values.levels.split(',').map(Number),
  ratePerSecond: 50,
  rounds: Number(values.rounds),
  settleMs: 2500,
  windowMs: Number(values['window-ms']),
  limitMs: 10,
};
const startedAt = performance.now();
const [loadBefore] = loadavg();
const server = await startServer(setting.ratePerSecond);
const { port } = server;
const lags = values['skip-lags'] ? undefined : await measureAllReaders();
const threads =
  values.workers === undefined
    ? undefined
    : await measureThreads(port, setting, Number(values.workers), note);
const minutes = Number(values['memory-minutes'] ?? 0);
const memoryStreams = Number(values['memory-streams']);
const memory = minutes > 0 ? await measureMemory(port, setting, memoryStreams, minutes, note) : undefined;
server.close();
note('');

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  loadBefore,
};
const tookSeconds = Math.round((performance.now() - startedAt) / 1000);
if (values.json) {
  const document = { schema: 'streambench/fidelity@1', machine, setting, ...lags, threads, memory };
  process.stdout.write(`${JSON.stringify({ ...document, tookSeconds }, null, 2)}\n`);
} else {
  const parts = [
    `Node ${machine.node}, ${machine.cores} cores, ${machine.cpu}, load ${loadBefore!.toFixed(2)} at the start; ${tookSeconds} s`,
  ];
  const medians = `medians of ${setting.rounds} interleaved rounds of ${setting.windowMs} ms, ${setting.ratePerSecond} events/s a stream`;
  if (lags !== undefined) {
    parts.push(`Arrival lag: ${medians}`, lagTable(lags.cells));
    parts.push(limitTable(lags.limits, setting.limitMs), startLines(lags.startup));
  }
  if (threads !== undefined)
    parts.push(`One thread and ${values.workers}: ${medians}`, threadsTable(threads));
  if (memory !== undefined) {
    parts.push(
      `Resident memory in MB over ${minutes} minutes, ${memoryStreams} streams of 20 s, ${setting.ratePerSecond} events/s each`,
      memoryTable(memory),
    );
  }
  process.stdout.write(`${parts.join('\n\n')}\n`);
}

async function measureAllReaders() {
  const startup = await measureStartup();
  const cells = await measureLags(port, setting, note);
  return { startup, cells, limits: await findLimits(port, setting, cells, note) };
}

/** What is being measured, where someone is looking. */
function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
