import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createToken } from '../../src/service/index.ts';
import { SECRET } from './support.ts';

const PROGRAM = resolve(import.meta.dirname, '../../bin/streambench.js');

/** `streambench serve` in a process of its own. */
export interface ServeProcess {
  child: ChildProcess;
  url: string;
  token: string;
  stderr(): string;
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  get(path: string): Promise<Response>;
  /** Ends it by this signal and gives its exit code; null when the signal killed it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Runs `streambench serve` with these arguments until it says its address. */
export async function serveProcess(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<ServeProcess> {
  const { child, output, errors, exited } = run(['serve', '--port', '0', ...args], {
    STREAMBENCH_JWT_SECRET: SECRET,
    ...env,
  });
  const url = await Promise.race([
    output.then((text) => text.trim()),
    exited.then((code) => {
      throw new Error(`serve ended with ${code}: ${errors()}`);
    }),
  ]);
  const token = await createToken(SECRET);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return {
    child,
    url,
    token,
    stderr: errors,
    post: (path, body, init) =>
      fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body), ...init }),
    get: (path) => fetch(url + path, { headers }),
    end(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

/** Runs the program to its end. */
export async function runProgram(args: readonly string[], env: Record<string, string> = {}) {
  const { errors, exited } = run(args, env);
  return { code: await exited, stderr: errors() };
}

function run(args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { PATH: process.env.PATH, ...env } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  return {
    child,
    output: once(child.stdout.setEncoding('utf8'), 'data').then(([text]) => text as string),
    errors: () => stderr,
    exited: once(child, 'close').then(([code]) => code as number | null),
  };
}
