import { spawn } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { resolve } from 'node:path';
import { median } from './measure.ts';

/** What it takes to start, in ms: medians. */
export interface Startup {
  /** A Node process that does nothing. */
  bareNode: { wallMs: number; cpuMs: number };
  /** `streambench --version`. */
  version: { wallMs: number; cpuMs: number };
  /** From the start of `streambench probe` to its first request at the server. */
  firstRequestMs: number;
}

const RUNS = 10;
// The child says on its third descriptor what it used. What comes after, the end of the process, is not in it.
const TELL_CPU = `data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>writeSync(3,JSON.stringify(process.cpuUsage())))`;

/** Starts the compiled program ten times each way. */
export async function measureStartup(program = resolve('bin/streambench.js')): Promise<Startup> {
  return {
    bareNode: await timed(['-e', '0']),
    version: await timed([program, '--version']),
    firstRequestMs: await firstRequest(program),
  };
}

async function timed(args: readonly string[]): Promise<{ wallMs: number; cpuMs: number }> {
  const walls: number[] = [];
  const cpus: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startedAt = performance.now();
    const child = spawn(process.execPath, ['--import', TELL_CPU, ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    let told = '';
    child.stdio[3]!.on('data', (text) => {
      told += text;
    });
    await new Promise((done, failed) => child.on('close', done).on('error', failed));
    walls.push(performance.now() - startedAt);
    const { user, system } = JSON.parse(told);
    cpus.push((user + system) / 1000);
  }
  return { wallMs: median(walls), cpuMs: median(cpus) };
}

async function firstRequest(program: string): Promise<number> {
  let arrived = () => {};
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => arrived());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const walls: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [program, 'probe', url, '--dialect', 'sse'], { stdio: 'ignore' });
    const gone = new Promise((done) => child.on('close', done));
    await Promise.race([
      new Promise<void>((done) => {
        arrived = done;
      }),
      gone.then(() => Promise.reject(new Error('streambench probe ended without a request'))),
    ]);
    walls.push(performance.now() - startedAt);
    child.kill('SIGKILL');
    await gone;
  }
  server.close();
  return median(walls);
}
