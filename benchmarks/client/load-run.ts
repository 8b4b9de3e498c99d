import { fork, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { percentileOf } from '../../src/metrics/percentile.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Report } from '../../src/model/report.ts';

const program = resolve('bin/streambench.js');

/** A finished run, and what its server saw. */
export interface LoadRun {
  report: Report;
  records: RequestRecord[];
  /** The start of the run on the machine's clock. */
  originAt: number;
  /** Of each answer, on one clock: when the server read the request and wrote the first event, and when the client stamped it. */
  seen: { receivedAt: number; firstAt: number; stampedAt: number }[];
}

/**
 * Runs the program against a server in a process of its own. `answer`: ms to the first token, events, ms between them. `load`: flags.
 */
export async function runLoad(answer: readonly number[], load: readonly string[]): Promise<LoadRun> {
  const server = fork(new URL('./load-server.js', import.meta.url), answer.map(String));
  const { port } = await new Promise<{ port: number }>((done) => server.once('message', done as () => void));
  const output = mkdtempSync(join(tmpdir(), 'streambench-load-'));
  try {
    const target = ['--target', `http://127.0.0.1:${port}/v1`, '--provider', 'openai', '--model', 'm'];
    const more = ['--keep-text', '-q', '-o', output, ...load];
    const child = spawn(process.execPath, [program, 'run', ...target, ...more], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, OPENAI_API_KEY: 'none' },
    });
    const code = await new Promise((done) => child.on('close', done));
    if (code !== 0) throw new Error(`the run ended with code ${code}`);
    const folder = join(output, readdirSync(output).find((name) => name !== 'baselines')!);
    const read = (file: string) => readFileSync(join(folder, file), 'utf8');
    const records = read('records.ndjson')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as RequestRecord);
    const said = records.flatMap(({ text, marks }) => {
      const [receivedAt, firstAt] = (text ?? '').split(' ').map(Number);
      return firstAt && receivedAt && marks.firstToken !== undefined
        ? [{ receivedAt, firstAt, firstToken: marks.firstToken }]
        : [];
    });
    // The start of the run on the machine's clock: nothing was stamped before it was written.
    const origin = Math.max(...said.map(({ firstAt, firstToken }) => firstAt - firstToken));
    const seen = said.map(({ receivedAt, firstAt, firstToken }) => ({
      receivedAt,
      firstAt,
      stampedAt: firstToken + origin,
    }));
    return { report: JSON.parse(read('report.json')), records, originAt: origin, seen };
  } finally {
    server.disconnect();
    rmSync(output, { recursive: true });
  }
}

/** In ascending order. */
export const sorted = (values: readonly number[]) => Float64Array.from(values).sort();
/** A percentile. */
export const p = (values: readonly number[], q: number) => percentileOf(sorted(values), q);
/** Two digits. */
export const ms = (value: number) => value.toFixed(2);
