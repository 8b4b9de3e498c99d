import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RequestRecord } from '../../../src/model/record.ts';
import { figures, MODEL, type Tool, versionOf } from './tool.ts';

const PROGRAM = resolve('bin/streambench.js');

/** This program, as it is built. */
export const streambench: Tool = {
  name: 'streambench',
  find: async () => ({ version: (await versionOf(process.execPath, PROGRAM, '--version')) ?? '' }),
  command: ({ port, streams, requests, folder }) => [
    ...[process.execPath, PROGRAM, 'run', '--target', `http://127.0.0.1:${port}/v1`, '--provider', 'openai'],
    ...['--model', MODEL, '-c', String(streams), '-n', String(requests), '--rounds', '1', '--warmup', '0'],
    ...['-q', '-o', folder],
  ],
  env: { OPENAI_API_KEY: 'none' },
  read({ folder }) {
    const [name = ''] = readdirSync(folder);
    const records = readFileSync(join(folder, name, 'records.ndjson'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as RequestRecord)
      .filter(({ outcome }) => outcome.kind === 'ok');
    return {
      ok: records.length,
      ttft: figures(
        records.flatMap(({ marks: { firstToken, sent } }) =>
          firstToken === undefined || sent === undefined ? [] : [firstToken - sent],
        ),
      ),
      gap: figures(records.flatMap(({ gaps }) => gaps)),
    };
  },
};

/** This program with a fixed number of measuring threads. */
export const streambenchThreads = [1, 2].map(
  (threads): Tool => ({
    ...streambench,
    name: threads === 1 ? 'streambench-1-thread' : `streambench-${threads}-threads`,
    onlyNamed: true,
    command: (load) => [...streambench.command(load), '--workers', String(threads)],
  }),
);

const PORT = 9465;

/** This program while it serves metrics, which are scraped every second: what that costs and disturbs. */
export const streambenchPrometheus: Tool = {
  ...streambench,
  name: 'streambench-prometheus',
  onlyNamed: true,
  command: (load) => [...streambench.command(load), '--prometheus', String(PORT)],
  during() {
    const scrape = () => {
      fetch(`http://127.0.0.1:${PORT}/metrics`)
        .then((response) => response.text())
        // It has not started, or has ended.
        .catch(() => {});
    };
    const timer = setInterval(scrape, 1000);
    return () => clearInterval(timer);
  },
};
