import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probe } from '../../src/bench/probe/probe.ts';
import { runScenario } from '../../src/bench.ts';
import { probeView } from '../../src/report/terminal/probe-view.ts';
import { loadFromFlags } from '../../src/scenario/from-flags.ts';

// A server that makes its answer first, or streams it, and heeds max_tokens: 1 ms a token, then 1 ms between events.

let server: Server;
let url = '';
const asked: number[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      const { max_tokens: tokens = 64 } = JSON.parse(body) as { max_tokens?: number };
      asked.push(tokens);
      const isFake = request.url!.startsWith('/fake/');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'word ' } }] })}\n\n`;
      let left = tokens;
      const step = () => {
        const now = Math.min(left, 8);
        left -= now;
        response.write(event.repeat(now));
        if (left > 0) setTimeout(step, 8);
        else
          response.end(
            'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
          );
      };
      setTimeout(step, 80 + (isFake ? 3 * tokens : 0));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const flags = (kind: string) => ({ target: `${url}/${kind}/v1`, dialect: 'openai-chat', model: 'm' });

describe('probe --lengths', () => {
  test('accuses an endpoint whose longer answers start later, by several requests', async () => {
    asked.length = 0;
    const report = await probe(loadFromFlags(flags('fake'), { env: {} }), {
      requests: 3,
      lengths: [16, 256],
    });
    expect(asked).toEqual([64, 16, 256, 16, 256, 16, 256]);
    expect(report.lengths).toMatchObject({ result: 'grows', short: { n: 3, tokens: 20 }, long: { n: 3 } });
    expect(report.requests[0]!.streaming).toMatchObject({
      verdict: 'replayed',
      evidence: expect.stringContaining('the answer is generated before it is sent'),
    });
    expect(report.requests.map(({ length }) => length)).toEqual([undefined, 16, 256, 16, 256, 16, 256]);
    expect(probeView(report, { width: 100, color: 0 })).toMatch(
      /by length: .*\n?.*longer answers start later/,
    );
  });

  test('clears one whose first content does not wait for the length', async () => {
    const report = await probe(loadFromFlags(flags('real'), { env: {} }), {
      requests: 4,
      lengths: [16, 256],
    });
    expect(report.lengths!.result, JSON.stringify(report.lengths)).toMatch(/^(same|open)$/);
    expect(report.requests[0]!.streaming!.verdict).toMatch(/^(streaming|inconclusive)$/);
  });

  test('refuses an endpoint that cannot be asked for a length, before anything is sent', async () => {
    asked.length = 0;
    const plain = loadFromFlags({ target: `${url}/x`, dialect: 'sse' }, { env: {} });
    await expect(probe(plain, { requests: 3, lengths: [16, 256] })).rejects.toThrow(/no length parameter/);
    expect(asked).toEqual([]);
  });
});

test('verdict: { lengths } in a scenario judges its cells, and is in none of their figures', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lengths-'));
  try {
    const loaded = loadFromFlags(
      { ...flags('fake'), requests: 4, maxTokens: 64 },
      {
        env: {},
        overrides: [
          { path: 'verdict.lengths', value: [16, 256], from: 'test' },
          { path: 'verdict.requests', value: 3, from: 'test' },
          { path: 'load.rounds', value: 2, from: 'test' },
        ],
      },
    );
    asked.length = 0;
    const { report } = await runScenario(loaded, { output: folder });
    expect(asked.filter((tokens) => tokens === 256).length).toBeGreaterThanOrEqual(3);
    expect(report.cells).toHaveLength(1);
    expect(report.cells[0]!.outcomes).toEqual({ ok: 4 });
    expect(report.cells[0]!.streaming).toMatchObject({
      verdict: 'replayed',
      evidence: expect.stringMatching(/answers of about \d+ and \d+ tokens begin after/),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
