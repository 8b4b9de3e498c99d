// A million requests in one run: the peak memory of `run`, of `report` on the run, and of `merge` on the same records in four
// shards. Needs a build. The server is another process, whose memory does not count:
//
//     npm run build && node benchmarks/million.mjs [--requests N] [--concurrency N] [--keep FOLDER] [--run FOLDER]
//
// `--keep` keeps the runs in a folder; `--run` measures `report` and `merge` on a run that was kept. Exits with 1 when a command needs 300 MB or more.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const LIMIT_MB = 300;
const PROGRAM = fileURLToPath(new URL('../bin/streambench.js', import.meta.url));
// Prints the peak of the process's resident memory, in KiB, when it exits.
const PEAK = `data:text/javascript,${encodeURIComponent("process.on('exit', () => process.stderr.write(`\\npeak ${process.resourceUsage().maxRSS}\\n`))")}`;

if (process.argv[2] === 'serve') serve();
else await main();

/** Answers every request on a connection with the same three tokens, in one write. */
function serve() {
  const chunk = (delta, finish = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const usage = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 3 } })}\n\n`;
  const words = ['one', ' two', ' three'].map((content) => chunk({ content })).join('');
  const body = `${words}${chunk({}, 'stop')}${usage}data: [DONE]\n\n`;
  const answer = Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    let pending = '';
    socket.on('data', (bytes) => {
      // The head and the body of a request may come in one read or in two.
      pending += bytes.toString('latin1');
      const head = pending.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(pending)?.[1] ?? 0);
      if (pending.length < head + 4 + length) return;
      pending = '';
      socket.write(answer);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  process.on('disconnect', () => process.exit());
}

async function main() {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '1000000' },
      concurrency: { type: 'string', default: '16' },
      keep: { type: 'string' },
      run: { type: 'string' },
    },
  });
  const server = spawn(process.execPath, [fileURLToPath(import.meta.url), 'serve'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [{ port }] = await once(server, 'message');
  const folder = values.keep ?? (await mkdtemp(join(tmpdir(), 'streambench-million-')));
  const { requests, concurrency } = values;
  const load = ['-n', requests, '-c', concurrency, '--rounds', '1'];
  const target = ['--target', `http://127.0.0.1:${port}/v1`, '--dialect', 'openai-chat', '--model', 'm'];
  try {
    const peaks = [];
    if (values.run === undefined)
      peaks.push(await measured('run', [...target, ...load, '-o', folder, '-q', '--json']));
    const run =
      values.run ??
      join(
        folder,
        (await readdir(folder)).find((name) => name.startsWith('2')),
      );
    const { size } = await stat(join(run, 'records.ndjson'));
    process.stdout.write(`records.ndjson: ${(size / 1e6).toFixed(0)} MB\n`);
    peaks.push(await measured('report', [run, '-f', 'json']));
    const shards = await split(run, join(folder, 'shards'), 4);
    peaks.push(await measured('merge', [...shards, '-o', join(folder, 'merged'), '--json', '-q']));
    process.exitCode = peaks.every((peak) => peak < LIMIT_MB) ? 0 : 1;
  } finally {
    server.disconnect();
    if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** Deals the records of a run out to so many shards. Resolves with their folders. */
async function split(run, folder, of) {
  const manifest = JSON.parse(await readFile(join(run, 'manifest.json'), 'utf8'));
  const shards = [];
  for (let number = 1; number <= of; number++) {
    const at = join(folder, String(number));
    await mkdir(at, { recursive: true });
    shards.push({ at, number, records: 0, file: createWriteStream(join(at, 'records.ndjson')) });
  }
  let next = 0;
  for await (const line of createInterface({ input: createReadStream(join(run, 'records.ndjson')) })) {
    const shard = shards[next++ % of];
    shard.records += 1;
    if (!shard.file.write(`${line}\n`)) await once(shard.file, 'drain');
  }
  for (const { at, number, records, file } of shards) {
    file.end();
    await finished(file);
    const own = { ...manifest, records, shard: { number, of, host: 'here' } };
    own.run = { ...manifest.run, id: `${manifest.run.id}-${number}`, planned: records };
    await writeFile(join(at, 'manifest.json'), JSON.stringify(own));
  }
  return shards.map(({ at }) => at);
}

/** Runs a command. Resolves with its peak memory in MB. */
async function measured(command, args) {
  const began = performance.now();
  const child = spawn(process.execPath, ['--import', PEAK, PROGRAM, command, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  const [code] = await once(child, 'close');
  const peak = (Number(/peak (\d+)/.exec(text)?.[1]) * 1024) / 1e6;
  if (code !== 0 || !Number.isFinite(peak)) throw new Error(`${command} failed with ${code}: ${text}`);
  const seconds = (performance.now() - began) / 1000;
  const holds = peak < LIMIT_MB;
  process.stdout.write(
    `${holds ? 'pass' : 'MISS'}  ${command}: peak ${peak.toFixed(0)} MB (target under ${LIMIT_MB}), ${seconds.toFixed(0)} s\n`,
  );
  return peak;
}
