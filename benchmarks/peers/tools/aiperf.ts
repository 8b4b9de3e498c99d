import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { absent, figures, MODEL, type Tool, tokenizerFolder, versionOf } from './tool.ts';

interface Line {
  metrics: Record<'time_to_first_token', { value: number }> &
    Partial<Record<'inter_chunk_latency', { value: number[] }>>;
  error: unknown;
}

/** NVIDIA's AIPerf. */
export const aiperf: Tool = {
  name: 'aiperf',
  async find() {
    const version = await versionOf('aiperf', '--version');
    return version === undefined ? absent('aiperf', 'pip install aiperf') : { version };
  },
  command: ({ port, streams, requests, folder }) => [
    ...['aiperf', 'profile', '-m', MODEL, '--url', `http://127.0.0.1:${port}`, '--endpoint-type', 'chat'],
    ...['--streaming', '--concurrency', String(streams), '--request-count', String(requests)],
    ...['--tokenizer', tokenizerFolder(folder), '--synthetic-input-tokens-mean', '10'],
    ...['--synthetic-input-tokens-stddev', '0', '--ui', 'none', '--output-artifact-dir', folder],
  ],
  read({ folder }) {
    const lines = readFileSync(join(folder, 'profile_export.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line)
      .filter(({ error }) => error == null);
    return {
      ok: lines.length,
      ttft: figures(lines.map(({ metrics }) => metrics.time_to_first_token.value)),
      gap: figures(lines.flatMap(({ metrics }) => metrics.inter_chunk_latency?.value ?? [])),
    };
  },
};
