import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { READERS } from './fidelity-readers.ts';
import { findLimits, measureLags, read, type Setting, startServer } from './fidelity-run.ts';
import { measureStartup } from './fidelity-start.ts';
import { lagTable, limitTable, longTable, startLines } from './fidelity-tables.ts';

const HELP = `How late readers of many streams stamp what they read, beside a bare socket; what it costs; how long it takes to start.

  --json           one JSON document on stdout
  --levels LIST    streams at once (default 50,200,500,1000), 50 events/s each
  --rounds N       rounds in which the readers take turns (default 4)
  --window-ms N    length of a window (default 1200)
  --long           also read 200 streams for ten minutes and tell the memory each minute
  --minutes N      how long that is (default 10)
`;
const LONG_STREAMS = 200;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    json: { type: 'boolean' },
    levels: { type: 'string', default: '50,200,500,1000' },
    rounds: { type: 'string', default: '4' },
    'window-ms': { type: 'string', default: '1200' },
    long: { type: 'boolean' },
    minutes: { type: 'string', default: '10' },
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
  settleMs: 700,
  windowMs: Number(values['window-ms']),
  limitMs: 10,
};
const startedAt = performance.now();
const [loadBefore] = loadavg();
const startup = await measureStartup();
const server = await startServer(setting.ratePerSecond);
const cells = await measureLags(server.port, setting, note);
const limits = await findLimits(server.port, setting, cells, note);
const long = values.long ? await overTime(Number(values.minutes)) : undefined;
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
  const document = { schema: 'streambench/fidelity@1', machine, setting, cells, limits, startup, long };
  process.stdout.write(`${JSON.stringify({ ...document, tookSeconds }, null, 2)}\n`);
} else {
  process.stdout.write(`Arrival lag: medians of ${setting.rounds} interleaved rounds of ${setting.windowMs} ms, ${setting.ratePerSecond} events/s a stream
Node ${machine.node}, ${machine.cores} cores, ${machine.cpu}, load ${loadBefore!.toFixed(2)} at the start; ${tookSeconds} s

${lagTable(cells)}

${limitTable(limits, setting.limitMs)}

${startLines(startup)}
${long === undefined ? '' : `\nResident memory in MB, ${LONG_STREAMS} streams, minute by minute\n\n${longTable(long)}\n`}`);
}

async function overTime(minutes: number): Promise<{ reader: string; rssBytes: number[] }[]> {
  const { ratePerSecond, settleMs } = setting;
  note(`${minutes} minutes, all readers at once`);
  const task = { port: server.port, streams: LONG_STREAMS, ratePerSecond, settleMs };
  return Promise.all(
    READERS.map(async (reader) => {
      const { windows } = await read({ ...task, reader, windowMs: 60_000, windows: minutes });
      return { reader, rssBytes: windows.map((window) => window.rssBytes) };
    }),
  );
}

/** What is being measured, where someone is looking. */
function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
