import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../support/program.ts';
import { CHAT_BODY, rawServers, SSE_HEAD } from '../support/raw-server.ts';

const run = promisify(execFile);
const serve = rawServers();

test('the HTTP parser is compiled, and not optimized', async () => {
  const server = await serve((socket) => socket.write(SSE_HEAD + CHAT_BODY));
  const flags = ['--trace-wasm-compilation-times'];
  const args = ['probe', server.url, '--provider', 'openai', '--model', 'm'];
  const { stdout, stderr } = await run(process.execPath, [
    ...flags,
    join(ROOT, 'bin/streambench.js'),
    ...args,
  ]);
  expect(stdout).toContain('using Liftoff');
  expect(stdout).not.toContain('using TurboFan');
  // Node names a flag that it does not know there.
  expect(stderr).not.toMatch(/flag/);
});
