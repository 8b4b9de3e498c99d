import { appendFileSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { writeIntoDocument } from './document.ts';
import { FAKE_KINDS } from './fake-kinds.ts';
import { count, emptyRow, kindTable, summaryTable } from './matrix.ts';
import { REAL_KINDS } from './real-kinds.ts';
import { LENGTHS, type Measured, simulate } from './simulation.ts';
import { measure, startEmitter } from './wire.ts';

// Prints the confusion matrix of the streaming verdict: by simulation, or with --wire over sockets.

const { values } = parseArgs({
  options: {
    wire: { type: 'boolean', default: false },
    services: { type: 'string' },
    streams: { type: 'string', default: '12' },
    seed: { type: 'string', default: '5' },
    parallel: { type: 'string', default: '24' },
    write: { type: 'string' },
    save: { type: 'string' },
    from: { type: 'string' },
  },
});
const seed = Number(values.seed);
const KINDS = [...REAL_KINDS, ...FAKE_KINDS];
const services = Number(values.services ?? (values.wire ? 5 : 40));
const extent = { services, streams: Number(values.streams), perLength: 5 };
const rows = KINDS.map(emptyRow);
if (values.from !== undefined) judgeAgain(values.from);
else if (values.wire) await overSockets();
else bySimulation();
const streams = services * extent.streams;
const head = `${values.wire ? 'Over sockets' : 'By simulation'}: ${REAL_KINDS.length} real and ${FAKE_KINDS.length} fake kinds, ${services} services of each with ${extent.streams} streams (${streams} a kind), ${extent.perLength} requests for each length, seed ${seed}.`;
console.log(`${head}\n\n${summaryTable(rows)}\n\n${kindTable(rows)}`);
if (values.write !== undefined) {
  const way = values.wire ? 'over sockets' : 'by simulation';
  writeIntoDocument(values.write, `summary ${way}`, `${head}\n\n${summaryTable(rows)}`);
  writeIntoDocument(values.write, `kinds ${way}`, kindTable(rows));
}

function bySimulation(): void {
  for (const [index, kind] of KINDS.entries())
    for (const measured of simulate(kind, seed + 1000 * index, extent)) count(rows[index]!, measured);
}

async function overSockets(): Promise<void> {
  const { url, process: emitter } = await startEmitter(seed);
  // The slowest kinds first, so that none of them is left alone at the end.
  const slowness = KINDS.map((kind) => {
    const [one] = simulate(kind, 1, { services: 1, streams: 1, perLength: 1 });
    return one!.lengths.get(LENGTHS[1])![0]!.marks.end!;
  });
  const order = [...KINDS.keys()].sort((a, b) => slowness[a]! - slowness[b]!);
  const jobs = order.flatMap((kind) =>
    Array.from({ length: services }, (_, service) => [kind, service] as const),
  );
  const work = async (): Promise<void> => {
    for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) {
      const [kind, service] = job;
      const measured = await measure(url, kind, service, extent);
      count(rows[kind]!, measured);
      if (values.save !== undefined)
        appendFileSync(
          values.save,
          `${JSON.stringify({ kind, ...measured, lengths: [...measured.lengths] })}\n`,
        );
      process.stderr.write(`\r${jobs.length} services to go  `);
    }
  };
  await Promise.all(Array.from({ length: Number(values.parallel) }, work));
  emitter.kill();
}

/** Judges what an earlier run with --save measured. */
function judgeAgain(path: string): void {
  for (const line of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
    const { kind, lengths, ...rest } = JSON.parse(line) as Omit<Measured, 'lengths'> & {
      kind: number;
      lengths: [number, Measured['streams']][];
    };
    count(rows[kind]!, { ...rest, lengths: new Map(lengths) });
  }
}
