import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { startServer } from '../client/fidelity-run.ts';
import { median } from '../client/measure.ts';
import { type EmbedResult, type EmbedTask, LIBRARIES, WAYS } from './task.ts';

// What measuredFetch and measuredDispatcher cost beside the bare client library: CPU time per event, and later arrival.
// The processes take turns and begin with another in each round; differences are taken within a round.

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '200' },
    rate: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '5' },
    settle: { type: 'string', default: '3000' },
    window: { type: 'string', default: '6000' },
    json: { type: 'boolean', default: false },
  },
});
const [streams, rate, rounds] = [Number(values.streams), Number(values.rate), Number(values.rounds)];

const server = await startServer(rate);
const rows = [];
for (const library of LIBRARIES) {
  const results: Record<EmbedTask['way'], EmbedResult[]> = { bare: [], fetch: [], dispatcher: [] };
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < WAYS.length; turn++) {
      const way = WAYS[(round + turn) % WAYS.length]!;
      process.stderr.write(`${library}, round ${round + 1} of ${rounds}: ${way}\n`);
      const settings = { settleMs: Number(values.settle), windowMs: Number(values.window) };
      results[way].push(await measure({ library, way, port: server.port, streams, ...settings }));
    }
  }
  for (const way of WAYS) {
    const own = results[way];
    const added = own.map(
      ({ cpuMicrosPerEvent }, i) => cpuMicrosPerEvent - results.bare[i]!.cpuMicrosPerEvent,
    );
    rows.push({
      library,
      way,
      'CPU us/event': round1(median(own.map((one) => one.cpuMicrosPerEvent))),
      'added us/event': way === 'bare' ? null : round1(median(added)),
      'added, least and most':
        way === 'bare' ? '' : `${round1(Math.min(...added))} ${round1(Math.max(...added))}`,
      'lag p50 ms': round1(median(own.map(({ lagMs }) => lagMs.p50))),
      'lag p99 ms': round1(median(own.map(({ lagMs }) => lagMs.p99))),
      'RSS MB': Math.round(median(own.map(({ rssBytes }) => rssBytes)) / 1e6),
      received: round1(
        (median(own.map(({ events }) => events)) * 1000) / (streams * rate * Number(values.window)),
      ),
    });
  }
}
server.close();
if (values.json) console.log(JSON.stringify(rows, null, 2));
else console.table(rows);
process.exit();

function measure(task: EmbedTask): Promise<EmbedResult> {
  return new Promise((resolve, reject) => {
    const child = fork(`${import.meta.dirname}/reader.js`, [JSON.stringify(task)]);
    child.once('message', (value) => resolve(value as EmbedResult));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with code ${code}`)));
  });
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
