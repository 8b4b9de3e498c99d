import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../support/program.ts';

// The built package where only `fetch` is there. Bun, Deno and Chromium run it where BUN, DENO and CHROMIUM name them:
// `npm run platforms`.

const run = promisify(execFile);
const PROGRAM = join(import.meta.dirname, 'streams.mjs');
const folder = mkdtempSync(join(tmpdir(), 'sb-platforms-'));

const WORDS = ['Grüße', ' aus', ' 世界'];
let server: Server;
let baseUrl: string;
let page = '';
let bundle = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
    if (request.method === 'OPTIONS') return response.writeHead(204, headers).end();
    if (request.method === 'GET') {
      const isScript = request.url === '/bundle.js';
      const type = isScript ? 'text/javascript' : 'text/html';
      return response
        .writeHead(200, { 'content-type': `${type}; charset=utf-8` })
        .end(isScript ? bundle : page);
    }
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      if (body.includes('refuse')) {
        response.writeHead(401, { ...headers, 'content-type': 'application/json' });
        response.end('{"error":{"message":"no such key"}}');
        return;
      }
      response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
      for (const word of WORDS) response.write(`data: {"choices":[{"delta":{"content":"${word}"}}]}\n\n`);
      if (body.includes('endless')) return;
      response.end('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  // As a bundler for browsers does it: an import that it cannot resolve is an error.
  const { outputFiles } = await build({
    stdin: {
      contents: `import { streams } from './streams.mjs'; globalThis.streams = streams;`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    write: false,
  });
  bundle = outputFiles[0]!.text;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const WANTED = {
  text: WORDS.join(''),
  outcome: 'ok',
  stamp: 'reader',
  ordered: true,
  cancelled: 'cancelled',
  refused: expect.stringMatching(/no such key/),
  encoded: true,
};

const first = (...paths: (string | undefined)[]) =>
  paths.find((path) => path !== undefined && existsSync(path));
const BUN = first(process.env.BUN);
const DENO = first(process.env.DENO);
const CHROMIUM = first(process.env.CHROMIUM);

describe('the package', () => {
  test('runs on Node.js with its sockets', async () => {
    const { stdout } = await run(process.execPath, [PROGRAM, baseUrl], { cwd: ROOT });
    expect(JSON.parse(stdout)).toEqual({ ...WANTED, stamp: 'socket' });
  });

  test('runs in a bundle for browsers, in a realm that has the globals of a worker only', async () => {
    const { createContext, runInContext } = await import('node:vm');
    const { AbortController, AbortSignal, btoa, atob, crypto, fetch, Headers, performance } = globalThis;
    const { ReadableStream, Response, setTimeout, clearTimeout, TextDecoder, TextEncoder, URL } = globalThis;
    const globals = {
      ...{ AbortController, AbortSignal, btoa, atob, crypto, fetch, Headers, performance, URLSearchParams },
      ...{ ReadableStream, Response, setTimeout, clearTimeout, TextDecoder, TextEncoder, URL, Uint8Array },
    };
    const context = createContext(globals);
    runInContext(bundle, context);
    expect(await runInContext(`streams(${JSON.stringify(baseUrl)})`, context)).toEqual(WANTED);
  });

  test.runIf(BUN)('runs on Bun', async () => {
    const { stdout } = await run(BUN ?? '', [PROGRAM, baseUrl], { cwd: ROOT });
    expect(JSON.parse(stdout)).toEqual(WANTED);
  });

  test.runIf(DENO)('runs on Deno', async () => {
    const { stdout } = await run(DENO ?? '', ['run', '--no-lock', '-A', PROGRAM, baseUrl], { cwd: ROOT });
    expect(JSON.parse(stdout)).toEqual(WANTED);
  });

  test.runIf(CHROMIUM)('runs in Chromium', { timeout: 60_000 }, async () => {
    page = `<script src="/bundle.js"></script><body><script>
      streams(${JSON.stringify(baseUrl)}).then(
        (heard) => (document.body.innerText = JSON.stringify(heard)),
        (error) => (document.body.innerText = String(error.stack)));</script>`;
    const args = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--virtual-time-budget=5000',
      `--user-data-dir=${folder}`,
    ];
    const { stdout } = await run(CHROMIUM ?? '', [...args, '--dump-dom', new URL('/', baseUrl).href]);
    const heard = /<body>(\{.*\})/.exec(stdout)?.[1] ?? stdout.slice(-2000);
    expect(JSON.parse(heard)).toEqual(WANTED);
  });
});
