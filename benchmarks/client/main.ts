import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { DIALECT_NAMES } from '../../src/wire/dialects/index.ts';
import type { Result, Task } from './one-dialect.ts';
import { heldTable, longTable, speedTable } from './tables.ts';

const HELP = `Decoding speed of each dialect, beside eventsource-parser alone and the official client libraries.

  npm run bench -- [options]

  --json             one JSON document on stdout
  --only NAMES       these dialects alone, separated by commas
  --rounds N         rounds in which the readers take turns (default 7)
  --min-ms N         least time of a reader in a round (default 60)
  --read-bytes N     bytes of a socket read (default 1024); 0: an event a read

The longest recorded stream of each dialect is taken from STREAMBENCH_CORPUS, where there is one.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    json: { type: 'boolean' },
    only: { type: 'string', default: DIALECT_NAMES.join(',') },
    rounds: { type: 'string', default: '7' },
    'min-ms': { type: 'string', default: '60' },
    'read-bytes': { type: 'string', default: '1024' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const setting = {
  rounds: Number(values.rounds),
  minMs: Number(values['min-ms']),
  readBytes: Number(values['read-bytes']),
};
// npm runs its scripts in the package's folder, and this is compiled into another than its own.
const folders = {
  corpus: process.env.STREAMBENCH_CORPUS ?? resolve('../shared/corpus'),
  peers: resolve('test/peers'),
};

const all: Result = { rows: [], held: [], long: [], remarks: [] };
for (const dialect of DIALECT_NAMES.filter((name) => values.only.split(',').includes(name))) {
  note(dialect);
  const result = await inOwnProcess({ dialect, ...setting, ...folders });
  all.rows.push(...result.rows);
  all.held.push(...result.held);
  all.long.push(...result.long);
  all.remarks.push(...result.remarks);
}
note('');
for (const remark of new Set(all.remarks)) process.stderr.write(`${remark}\n`);

const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
if (values.json) {
  const { rows: speeds, long: longEvents, held } = all;
  const document = { schema: 'streambench/bench@1', machine, setting, speeds, longEvents, held };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
} else {
  const reads = setting.readBytes === 0 ? 'an event a read' : `reads of ${setting.readBytes} bytes`;
  process.stdout.write(`Decoding speed: medians of ${setting.rounds} interleaved rounds of ${setting.minMs} ms, ${reads}
Node ${machine.node}, ${machine.cores} cores, ${machine.cpu}

${speedTable(all.rows)}

One event of 100 KB and one of 1 MB, in reads of 16 KB (a cost that grows by the square would be 100 times)

${longTable(all.long)}

Memory kept for each stream that is half read

${heldTable(all.held)}
`);
}

// What other dialects have taught the compiler about the shape of events would make each slower than it is for a
// program that speaks one.
async function inOwnProcess(task: Task): Promise<Result> {
  const file = `${import.meta.dirname}/one-dialect.js`;
  const { stdout } = await promisify(execFile)(process.execPath, [file, JSON.stringify(task)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout);
}

/** What is being measured, where someone is looking. */
function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
