// Makes results/sample again: a run of scenarios/is-it-streaming.yaml and one probe, both against the embedded simulator with
// its fixed seed. The pages show parts of them, so `npm run docs` comes next. Needs a build and a quiet machine.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

process.chdir(resolve(import.meta.dirname, '..'));
const SAMPLE = 'results/sample';
const folder = mkdtempSync(join(tmpdir(), 'streambench-sample-'));
try {
  streambench('run', 'scenarios/is-it-streaming.yaml', '--workers', '1', '-o', folder);
  const [run] = readdirSync(folder);
  const manifest = JSON.parse(readFileSync(join(folder, run, 'manifest.json'), 'utf8'));
  const probe = streambench(
    'probe',
    '--provider',
    'simulator',
    '--max-tokens',
    '60',
    '--mode',
    'both',
    '--json',
  );
  if (manifest.run.aborted) throw new Error('the run was aborted');
  const { cells } = JSON.parse(streambench('report', join(folder, run), '-f', 'json'));
  for (const { client } of cells)
    if (client.verdict !== 'ok')
      throw new Error(`the sample is unchanged: the machine is not quiet (${client.reason})`);
  // All or nothing: the sample is replaced when both parts exist.
  for (const name of ['manifest.json', 'records.ndjson']) cpSync(join(folder, run, name), join(SAMPLE, name));
  writeFileSync(join(SAMPLE, 'probe.json'), probe);
} finally {
  rmSync(folder, { recursive: true });
}

/** The output of the built program. Ends this script where it fails. */
function streambench(...args) {
  const { status, stdout } = spawnSync(process.execPath, ['bin/streambench.js', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`streambench ${args.join(' ')}: exit code ${status}`);
  return stdout;
}
