// Kills runs with SIGKILL at random moments and checks that every record older than a second is on disk:
// node test/soak/kills.mjs [KILLS] [THREADS] [SEED]
//
// The server is the witness: a request on a connection says that the client has recorded the one before it on the same
// connection. After each kill the journal must hold, in whole lines, at least the records that were made a second before, and
// `report` must read it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const [kills, threads, seed] = [200, 1, 1].map((value, i) => Number(process.argv[2 + i] ?? value));
const BIN = resolve(import.meta.dirname, '../../bin/streambench.js');
const event = (delta, finish = null) =>
  `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

const used = new WeakSet();
let ends = [];
const server = createServer((request, response) => {
  request.resume();
  if (used.has(request.socket)) ends.push(performance.now());
  used.add(request.socket);
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event({ content: 'a' }));
    setTimeout(() => {
      response.end(`${event({ content: 'b' }, 'stop')}data: [DONE]\n\n`);
    }, 10);
  });
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const url = `http://127.0.0.1:${server.address().port}/v1`;

let state = seed >>> 0;
const random = () => {
  state = (state * 1_664_525 + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};

const folder = mkdtempSync(join(tmpdir(), 'streambench-kills-'));
let worst = 0;
let lostYoung = 0;
let failures = 0;
for (let kill = 0; kill < kills; kill++) {
  const output = join(folder, String(kill));
  ends = [];
  const args = ['run', '--target', url, '--provider', 'openai', '--model', 'm', '-c', '8', '-n', '100000'];
  const child = spawn(
    process.execPath,
    [BIN, ...args, '--rounds', '1', '--warmup', '0', '--workers', String(threads), '-o', output, '-q'],
    { stdio: 'ignore' },
  );
  const gone = new Promise((done) => child.once('exit', done));
  while (ends.length === 0) await new Promise((done) => setTimeout(done, 5));
  await new Promise((done) => setTimeout(done, random() * 3000));
  child.kill('SIGKILL');
  const killedAt = performance.now();
  await gone;
  const run = join(output, readdirSync(output)[0]);
  const lines = readFileSync(join(run, 'records.ndjson'), 'utf8').split('\n').slice(0, -1);
  const whole = lines.filter((line) => JSON.parse(line).outcome.kind === 'ok').length;
  const old = ends.filter((at) => at <= killedAt - 1000).length;
  const sent = ends.filter((at) => at <= killedAt).length;
  // Age of the oldest answer that is not there.
  if (whole < sent) worst = Math.max(worst, killedAt - ends[whole]);
  lostYoung += Math.max(0, sent - whole);
  const report = spawnSync(process.execPath, [BIN, 'report', run, '-f', 'json'], { maxBuffer: 2 ** 30 });
  const { run: told } = report.status === 0 ? JSON.parse(report.stdout) : {};
  if (whole < old || told?.aborted !== true) {
    failures += 1;
    console.log(`kill ${kill}: ${whole} records, ${old} older than 1 s; report: exit ${report.status}`);
  }
  rmSync(output, { recursive: true, force: true });
}
server.close();
server.closeAllConnections();
rmSync(folder, { recursive: true, force: true });
console.log(
  `${kills} kills, ${threads} threads: ${failures} lost a record older than 1 s; oldest lost record ${worst.toFixed(0)} ms; ${(lostYoung / kills).toFixed(1)} younger ones lost a kill`,
);
process.exitCode = failures === 0 ? 0 : 1;
