// Writes a run of many records, to measure `report` and `compare`:
// node test/soak/make-run.mjs FOLDER [RECORDS] [SEED] [TARGETS]

import { once } from 'node:events';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, count = '1000000', seed = '1', targets = '1'] = process.argv.slice(2);
const records = Number(count);
const ROUNDS = 10;
const MODES = ['streaming', 'non-streaming'];
const cells = Array.from({ length: Number(targets) }, (_, i) => `target-${i}`).flatMap((target) =>
  MODES.map((mode) => ({ target, prompt: 'short', concurrency: 16, mode })),
);

let state = Number(seed) >>> 0;
const random = () => {
  state = (state * 1_664_525 + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};
const us = (ms) => Math.round(ms * 1000) / 1000;

function record(seq) {
  const round = Math.floor((seq / records) * ROUNDS);
  // Block by block, as cells take turns.
  const cell = cells[Math.floor((seq / records) * ROUNDS * cells.length) % cells.length];
  const started = seq * 2;
  const sent = started + 0.1 + random() * 0.2;
  const headers = sent + 20 + random() * 30;
  const firstToken = headers + 5 + random() * 10;
  const streams = cell.mode === 'streaming';
  const gaps = streams ? Array.from({ length: 19 }, () => us(15 + random() * 10)) : [];
  const lastToken = firstToken + gaps.reduce((sum, gap) => sum + gap, 0);
  const failed = random() < 0.002;
  return {
    schema: 'streambench/record@1',
    seq,
    round,
    ...{ target: cell.target, prompt: cell.prompt, concurrency: cell.concurrency, mode: cell.mode },
    outcome: failed
      ? { kind: 'network', message: 'the socket was closed', code: 'ECONNRESET' }
      : { kind: 'ok' },
    marks: {
      ...{ scheduled: started, started, sent: us(sent), headers: us(headers), firstByte: us(headers + 0.05) },
      ...{ firstEvent: us(headers + 0.05), firstToken: us(firstToken), firstAnswer: us(firstToken) },
      ...{ lastToken: us(lastToken), end: us(lastToken + 0.2) },
    },
    connection: { reused: true, remote: '127.0.0.1:8000', protocol: 'h1' },
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'x-request-id': `req_${seq}` },
    ...{ reads: 22, events: 23, comments: 0, contentEvents: streams ? 20 : 1, coalesced: 0, bytes: 4_200 },
    chars: { answer: 92, thinking: 0 },
    gaps,
    ...(streams && { secondTokenGap: gaps[0] }),
    tokens: { output: 20, source: 'usage', input: 12, first: 1 },
    finish: { reason: 'stop', raw: 'stop' },
  };
}

mkdirSync(folder, { recursive: true });
const manifest = {
  schema: 'streambench/manifest@1',
  run: {
    ...{ id: '2026-11-21T03-31-58-soak-0000', startedAt: '2026-11-21T03:31:58.000Z' },
    ...{ endedAt: '2026-11-21T04:31:58.000Z', durationMs: 3_600_000, aborted: false, seed: 1 },
    ...{ planned: records, rounds: ROUNDS },
  },
  environment: {
    ...{ streambench: '0.1.0', node: '20.20.2', undici: '7.30.2', os: 'linux', arch: 'x64' },
    ...{ cpus: { model: 'any', count: 2 }, memoryBytes: 8 * 2 ** 30 },
  },
  scenario: { name: 'soak', hash: 'f00d', document: { version: 1, name: 'soak' } },
  cells,
  stallMs: 1000,
  thresholds: ['ttft.p95 < 800ms', 'errors.rate < 1%'],
  records,
};
writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
const out = createWriteStream(join(folder, 'records.ndjson'));
for (let seq = 0; seq < records; seq++) {
  if (!out.write(`${JSON.stringify(record(seq))}\n`)) await once(out, 'drain');
}
out.end();
await once(out, 'finish');
