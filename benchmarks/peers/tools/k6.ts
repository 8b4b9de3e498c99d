import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { json, type Load, MODEL, type Tool } from './tool.ts';

const run = promisify(execFile);

// k6 has no fraction of a millisecond.
const script = ({ port, streams, requests, folder }: Load) => `
import sse from 'k6/x/sse';
import { Counter, Trend } from 'k6/metrics';
const ttft = new Trend('ttft');
const gap = new Trend('gap');
const whole = new Counter('whole');
export const options = {
  scenarios: { all: { executor: 'shared-iterations', vus: ${streams}, iterations: ${requests}, maxDuration: '10m' } },
  summaryTrendStats: ['p(50)', 'p(99)'],
};
const body = JSON.stringify({ model: '${MODEL}', stream: true, messages: [{ role: 'user', content: 'hi' }] });
export default function () {
  const sent = Date.now();
  let last = 0;
  const params = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
  sse.open('http://127.0.0.1:${port}/v1/chat/completions', params, (client) => {
    client.on('event', ({ data }) => {
      if (data.includes('[DONE]')) {
        whole.add(1);
        client.close();
      } else if (data.includes('"content"')) {
        const now = Date.now();
        if (last === 0) ttft.add(now - sent);
        else gap.add(now - last);
        last = now;
      }
    });
  });
}
export function handleSummary(data) {
  return { '${join(folder, 'summary.json')}': JSON.stringify(data.metrics) };
}
`;

interface Trend {
  values: Record<'p(50)' | 'p(99)', number>;
}

/** k6 with the extension xk6-sse: without it, k6 reads no streams. */
export const k6: Tool = {
  name: 'k6',
  async find() {
    try {
      const { stdout } = await run('k6', ['version']);
      return stdout.includes('xk6-sse')
        ? { version: /v?(\d+\.\d+\S*)/.exec(stdout)?.[1]?.replace(',', '') ?? '' }
        : { skipped: 'the k6 in PATH has no xk6-sse: build it with that extension' };
    } catch {
      return { skipped: 'k6 is not in PATH: build it with the extension xk6-sse' };
    }
  },
  command(load) {
    const file = join(load.folder, 'script.js');
    writeFileSync(file, script(load));
    return ['k6', 'run', '--quiet', '--no-usage-report', file];
  },
  read({ folder }) {
    const { ttft, gap, whole } = json(folder, 'summary.json') as {
      ttft?: Trend;
      gap?: Trend;
      whole?: { values: { count: number } };
    };
    const figuresOf = (trend: Trend | undefined) =>
      trend === undefined ? null : { p50: trend.values['p(50)'], p99: trend.values['p(99)'] };
    return { ok: whole?.values.count ?? 0, ttft: figuresOf(ttft), gap: figuresOf(gap) };
  },
};
