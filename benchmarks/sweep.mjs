import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// How often `streambench sweep` finds the known capacity of the embedded simulator: 20 runs of the built program. Half of the
// simulated services let further requests wait, so that the objective for the first token is broken; the others refuse them.
//
// Where they wait: an answer takes 430 ms, so that with 8 slots and one more stream a request waits 54 ms on average, and one in
// twenty 160 ms. Without waiting the first token takes 30 ms. The limit is 120 ms, so the capacity is the number of slots. With many
// more slots the wait would be shorter than the limit.

const RUNS = Number(process.argv[2] ?? 20);
const SLOTS = [3, 5, 6, 8];
const REFUSING = [4, 9, 20, 33, 48];
const BIN = new URL('../bin/streambench.js', import.meta.url).pathname;

const folder = mkdtempSync(join(tmpdir(), 'streambench-sweep-'));

function scenario({ slots, refuses, seed }) {
  const queue = refuses ? ', queue: 0' : '';
  const tokens = refuses ? 10 : 40;
  return `version: 1
name: known-capacity
seed: ${seed}
targets: [{ name: t, provider: simulator, model: m }]
prompts: [{ name: p, text: hello, maxTokens: ${tokens} }]
load: { sweep: { slo: ["ttft.p95 < 120ms"], max: 128 } }
simulator: { profiles: { m: { ttft: 30ms, gap: 10ms, tokens: ${tokens}, slots: ${slots}${queue} } } }
`;
}

function sweep(file) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, 'run', file, '--json', '-q', '-o', join(folder, 'results')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('close', (code) => {
      try {
        resolve({ code, report: JSON.parse(text) });
      } catch (error) {
        reject(error);
      }
    });
  });
}

console.log('run | known | found | not met at | stopped by | measurements | requests | seconds');
let within = 0;
let wrong = 0;
try {
  for (let run = 0; run < RUNS; run++) {
    const refuses = run % 2 === 1;
    const list = refuses ? REFUSING : SLOTS;
    const slots = list[(run >> 1) % list.length];
    const file = join(folder, `${run}.yaml`);
    writeFileSync(file, scenario({ slots, refuses, seed: run + 1 }));
    const { report } = await sweep(file);
    const [search] = report.sweep.searches;
    const { met, broken } = search.range;
    if (met !== null && Math.abs(met - slots) <= 0.05 * slots) within += 1;
    // A claim that is false: a level that is shown to be met above the capacity, or to be broken at or below it.
    if ((met ?? 0) > slots || (broken ?? Number.POSITIVE_INFINITY) <= slots) wrong += 1;
    const { points } = report.sweep;
    console.log(
      [
        run + 1,
        `${slots}${refuses ? ' (refuses)' : ' (queue)'}`,
        met ?? '-',
        broken ?? '-',
        search.stop.reason,
        points.reduce((sum, { measurements }) => sum + measurements, 0),
        report.cells.reduce(
          (sum, { outcomes }) => sum + Object.values(outcomes).reduce((a, b) => a + b, 0),
          0,
        ),
        (report.run.durationMs / 1000).toFixed(1),
      ].join(' | '),
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`within 5 %: ${within} of ${RUNS}; false claims: ${wrong}`);
process.exitCode = within === RUNS && wrong === 0 ? 0 : 1;
