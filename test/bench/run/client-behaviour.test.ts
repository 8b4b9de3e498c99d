import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { reportRun, runScenario } from '../../../src/bench.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import { terminalReport } from '../../../src/report/terminal/terminal.ts';
import { parseScenario } from '../../../src/scenario/parse.ts';
import { CHUNKED_END, chatChunk, chunked, rawServers, SSE_HEAD } from '../../support/raw-server.ts';

// Whole runs against a raw server, whose own counts are the witness.

const serve = rawServers();
const folder = mkdtempSync(join(tmpdir(), 'behaviour-'));
afterAll(() => rmSync(folder, { recursive: true }));

const body = (request: string) => JSON.parse(request.slice(request.indexOf('\r\n\r\n') + 4));

async function run(url: string, rest: string) {
  const text = `version: 1
name: small
targets: [{ name: raw, url: "${url}/v1", dialect: openai-chat, model: m }]
${rest}
`;
  const loaded = parseScenario(text, join(folder, 's.yaml'), { env: {} });
  const records: RequestRecord[] = [];
  const result = await runScenario(loaded, {
    output: folder,
    workers: 1,
    observer: { recorded: (record) => records.push(record) },
  });
  return { ...result, records };
}

const ANSWER = [
  ...Array.from({ length: 12 }, () => chatChunk({ content: 'x ' })),
  chatChunk({}, 'stop'),
  'data: [DONE]\n\n',
];

describe('a run with client behaviour', () => {
  test('cancels exactly its share, retries what was refused, and counts each request once', async () => {
    let answered = 0;
    let left = 0;
    const server = await serve((socket) => {
      if (++answered % 5 === 0) {
        socket.write(
          'HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}',
        );
        return;
      }
      socket.write(SSE_HEAD);
      const pieces = [...ANSWER];
      const timer = setInterval(() => {
        const piece = pieces.shift();
        if (piece === undefined) {
          clearInterval(timer);
          socket.write(CHUNKED_END);
        } else socket.write(chunked(piece));
      }, 1);
      socket.once('close', () => {
        clearInterval(timer);
        if (pieces.length > 0) left++;
      });
    });
    const {
      report,
      records,
      folder: stored,
    } = await run(
      server.url,
      `prompts: [{ name: p, text: hi }]
load: { concurrency: 2, requests: 20, rounds: 2, warmup: 0 }
client:
  cancel: { share: 20%, after: 3 tokens }
  retries: { max: 3, on: [503] }
thresholds: ["errors.rate < 1%", "retries.max >= 1"]`,
    );
    const [cell] = report.cells;
    expect(cell?.outcomes).toEqual({ ok: 16, cancelled: 4 });
    expect(cell?.behaviours?.cancelled).toMatchObject({ planned: 4, cancelled: 4, ended: 0 });
    // The server saw four clients leave in the middle of an answer.
    await expect.poll(() => left).toBe(4);
    expect(cell?.retries?.attempts).toBe(server.requests.length);
    expect(cell?.retries?.retried).toBeGreaterThan(0);
    expect(records).toHaveLength(server.requests.length);
    expect(report.run.aborted).toBe(false);
    expect(report.gates.map(({ verdict }) => verdict)).toEqual(['pass', 'pass']);
    expect((await reportRun(stored)).report).toEqual(report);
    const shown = terminalReport(report, { width: 120, color: 0 });
    expect(shown).toContain('cancelled');
    expect(shown).toContain('16/16');
    expect(shown).toMatch(/count each request once, by\s+its last attempt/);
  });
});

describe('a run with a trace', () => {
  const lines = [0, 20, 20, 60, 100].map((timestamp, index) =>
    JSON.stringify({
      ...{ timestamp, input_length: 20 + index, output_length: index + 1 },
      hash_ids: [index % 2, 10 + index],
    }),
  );

  test('sends each request when it is due, with its blocks and its lengths', async () => {
    writeFileSync(join(folder, 'trace.jsonl'), lines.join('\n'));
    const server = await serve((socket) =>
      socket.write(`${SSE_HEAD}${ANSWER.map(chunked).join('')}${CHUNKED_END}`),
    );
    const {
      report,
      records,
      folder: stored,
    } = await run(
      server.url,
      `prompts: [{ name: replay, trace: lengths }]
load: { trace: { file: trace.jsonl, format: mooncake, speed: 0.5, blockTokens: 16 }, warmup: 1 }`,
    );
    const [warmup, ...sent] = server.requests.map(body);
    const contents = sent.map(({ messages }) => String(messages[0].content));
    const byLength = [...contents].sort((a, b) => a.length - b.length).map((text) => text.split(' '));
    expect(byLength.map((words) => words.length)).toEqual([20, 21, 22, 23, 24]);
    // Requests 1, 3 and 5 share their first block of 16 tokens, and so do 2 and 4.
    const firstBlocks = byLength.map((words) => words.slice(0, 16).join(' '));
    expect(firstBlocks[2]).toBe(firstBlocks[0]);
    expect(firstBlocks[4]).toBe(firstBlocks[0]);
    expect(firstBlocks[3]).toBe(firstBlocks[1]);
    expect(firstBlocks[1]).not.toBe(firstBlocks[0]);
    // The warm-up does not put a block of the trace into a cache.
    expect(firstBlocks).not.toContain(String(warmup.messages[0].content).split(' ').slice(0, 16).join(' '));
    expect(sent.map(({ max_tokens }) => max_tokens).sort()).toEqual([1, 2, 3, 4, 5]);
    // Half the speed: twice the intervals. No request is sent before it is due.
    const due = records.map(({ marks }) => marks.scheduled).sort((a, b) => a - b);
    expect(due.map((at) => Math.round(at - due[0]!))).toEqual([0, 40, 40, 120, 200]);
    for (const { marks } of records) expect(marks.started).toBeGreaterThanOrEqual(marks.scheduled - 0.001);
    expect(report.run.trace).toMatchObject({ requests: 5, speed: 0.5, spanMs: 100 });
    expect(report.cells[0]?.replay).toMatchObject({ lagMs: { n: 5 }, dropped: 0, speed: 0.5 });
    expect((await reportRun(stored)).report).toEqual(report);
    // The run can be replayed as a trace itself.
    const again = parseScenario(
      `version: 1
name: again
targets: [{ name: raw, url: "${server.url}/v1", dialect: openai-chat, model: m }]
prompts: [{ name: p, text: hi }]
load: { trace: { file: ${JSON.stringify(stored)}, format: streambench } }
`,
      join(folder, 'again.yaml'),
      { env: {} },
    );
    expect(again.promptInputs.trace?.atMs).toHaveLength(5);
    expect(again.promptInputs.trace?.atMs.at(-1)).toBeCloseTo(200, 0);
  });
});
