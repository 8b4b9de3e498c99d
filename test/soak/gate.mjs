// False alarms of the regression check on the wire: runs against a server whose speed differs from run to run by a lognormal
// factor. Usage, after a build: node test/soak/gate.mjs [RUNS] [DRIFT] [SEED]

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareWithHistory } from '../../dist/analysis/regression/compare.js';
import { readAcceptedRun } from '../../dist/bench/run/accepted-run.js';
import { parseScenario, runScenario } from '../../dist/bench.js';
import { createRandom } from '../../dist/model/seeded-random.js';

const [runs = 41, drift = 0.05, seed = 1] = process.argv.slice(2).map(Number);
const random = createRandom(seed);
let luck = 1;

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  const firstMs = 60 * luck * Math.exp(0.25 * random.normal());
  const event = (delta, finish = null) =>
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`);
  setTimeout(() => {
    event({ role: 'assistant', content: 'Hello' });
    setTimeout(() => {
      event({ content: ' world' }, 'stop');
      response.end('data: [DONE]\n\n');
    }, 20 * luck);
  }, firstMs);
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const { port } = server.address();
const output = mkdtempSync(join(tmpdir(), 'streambench-gate-'));
const text = `version: 1
name: drift
targets: [{ name: t, url: "http://127.0.0.1:${port}/v1", dialect: openai-chat, model: m }]
prompts: [{ name: p, text: hello }]
load: { concurrency: 10, requests: 100, rounds: 5 }
`;
const accepted = [];
for (let run = 0; run < runs; run++) {
  luck = Math.exp(drift * random.normal());
  const loaded = parseScenario(text, 'drift.yaml', { env: {} });
  const { folder } = await runScenario(loaded, { output, workers: 1 });
  accepted.push(await readAcceptedRun(folder));
  process.stderr.write(`\r${run + 1} of ${runs} runs`);
}
server.close();
rmSync(output, { recursive: true });
const verdicts = (of) => {
  const counts = {};
  for (let run = of; run < accepted.length; run++) {
    const { verdict } = compareWithHistory(accepted.slice(run - of, run), accepted[run], { base: 'main' });
    counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  return counts;
};
console.log(`\n${runs} runs, drift ${100 * drift} %, seed ${seed}`);
for (const of of [1, 5, 10]) console.log(`${of} accepted: ${JSON.stringify(verdicts(of))}`);
