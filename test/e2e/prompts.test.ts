import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Report } from '../../src/model/report.ts';
import { scratch, streambench } from '../support/program.ts';
import { CHAT_BODY, type RawServer, rawServers, SSE_HEAD } from '../support/raw-server.ts';

// The server's own log of bodies is the witness. Each test runs the program.
vi.setConfig({ testTimeout: 60_000 });

const folder = scratch();
afterAll(() => folder.dispose());
const serve = rawServers();
const answering = () => serve((socket) => socket.write(SSE_HEAD + CHAT_BODY));

interface Body {
  messages: { role: string; content: string }[];
  max_tokens?: number;
  seed?: number;
}

function bodies({ requests }: RawServer): Body[] {
  return requests.map((request) => JSON.parse(request.slice(request.indexOf('\r\n\r\n') + 4)));
}

const contents = (sent: readonly Body[]) =>
  sent.map(({ messages }) => messages.map(({ content }) => content).join('|'));

let count = 0;
async function run(scenario: string, files: Record<string, string> = {}, ...flags: string[]) {
  const home = join(folder.path, `${count++}`);
  mkdirSync(home);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  const file = join(home, 's.yaml');
  writeFileSync(file, scenario);
  const { code, stdout, stderr } = await streambench(['run', file, '-o', join(home, 'out'), ...flags]);
  expect(code, stderr).toBe(0);
  const results = join(home, 'out', readdirSync(join(home, 'out'))[0]!);
  const lines = readFileSync(join(results, 'records.ndjson'), 'utf8').trim().split('\n');
  const report: Report = JSON.parse(readFileSync(join(results, 'report.json'), 'utf8'));
  return { stdout, report, records: lines.map((line): RequestRecord => JSON.parse(line)) };
}

const scenario = ({ url }: RawServer, prompt: string, load: string) => `version: 1
name: prompts
targets: [{ name: t, url: "${url}/v1", dialect: openai-chat, model: m }]
prompts:
  - ${prompt}
load: ${load}
`;

const lines = (size: number) =>
  Array.from({ length: size }, (_, i) => `{"prompt":"question ${i}"}\n`).join('');

describe('a dataset', () => {
  test.each([1, 3])(
    'on %i threads sends each prompt once in a pass, and the record names it',
    async (threads) => {
      const server = await answering();
      const text = scenario(
        server,
        '{ name: p, dataset: q.jsonl, unique: false }',
        '{ concurrency: 3, requests: 36, rounds: 2, warmup: 2 }',
      );
      const { records, stdout } = await run(text, { 'q.jsonl': lines(12) }, '--workers', String(threads));
      const counts = new Map<string, number>();
      for (const { promptId = '' } of records) counts.set(promptId, (counts.get(promptId) ?? 0) + 1);
      expect([...counts.values()]).toEqual(Array(12).fill(3));
      const sent = contents(bodies(server)).map((content) =>
        String(Number(content.replace('question ', '')) + 1),
      );
      expect(sent).toHaveLength(38);
      for (const [id, times] of counts) {
        const seen = sent.filter((one) => one === id).length;
        expect(seen - times).toBeGreaterThanOrEqual(0);
      }
      expect(stdout).toContain('Prompt p: 12 prompts of q.jsonl (jsonl), shuffled.');
    },
  );

  test('that is broken sends nothing', async () => {
    const server = await answering();
    const home = join(folder.path, 'broken');
    mkdirSync(home);
    writeFileSync(join(home, 'q.jsonl'), `${lines(3)}{"prompt": 1}\n`);
    writeFileSync(join(home, 's.yaml'), scenario(server, '{ name: p, dataset: q.jsonl }', '{}'));
    const { code, stderr } = await streambench(['run', join(home, 's.yaml'), '-o', join(home, 'out')]);
    expect(code).toBe(2);
    expect(stderr).toContain('q.jsonl:4: "prompt" is a number, not text');
    expect([server.connections(), server.requests.length]).toEqual([0, 0]);
  });
});

test('a mix of generated text and others: the server gets the planned shares, prefixes and limits', async () => {
  const server = await answering();
  const mix = `
    name: p
    sharedPrefix: 40
    cacheHits: 35%
    mix:
      - { weight: 1, synthetic: { input: 20, output: 3 }, extra: { seed: 5 } }
      - { weight: 3, text: "{{greeting}} you", variables: { greeting: [hello, hi] }, maxTokens: 9 }`;
  const load = '{ concurrency: 4, requests: 40, rounds: 2, warmup: 1 }';
  const { records, report, stdout } = await run(scenario(server, mix, load));
  const sent = bodies(server);
  // The warm-up is sent alone, before all others.
  const [warm, ...rest] = sent.map(({ messages }) => messages[0]!.content.split('\n\n'));
  expect(rest).toHaveLength(40);
  for (const [prefix] of [warm!, ...rest]) expect(prefix!.split(' ')).toHaveLength(40);
  expect(rest.filter(([prefix]) => prefix === warm![0])).toHaveLength(14);
  const fresh = rest.map(([prefix]) => prefix).filter((prefix) => prefix !== warm![0]);
  expect(new Set(fresh).size).toBe(26);
  const generated = sent.slice(1).filter(({ max_tokens }) => max_tokens === 3);
  expect(generated).toHaveLength(10);
  for (const { messages, seed } of generated) {
    expect(messages[0]!.content.split('\n\n')[1]!.split(' ')).toHaveLength(20);
    expect(seed).toBe(5);
  }
  // The rest of every prompt is new: a nonce, or generated words.
  expect(new Set(rest.map(([, ...after]) => after.join())).size).toBe(40);
  expect(records.filter(({ cachePlan }) => cachePlan === 'hit')).toHaveLength(14);
  const { plannedCache } = report.cells[0]!;
  expect([plannedCache?.hit.requests, plannedCache?.miss.requests]).toEqual([14, 26]);
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('35 % of the requests share a prefix of 40 tokens');
});

test('two targets draw the same prompts, and a threshold takes the planned hits', async () => {
  const [a, b] = [await answering(), await answering()];
  const text = `version: 1
name: two
targets:
  - { name: a, url: "${a.url}/v1", dialect: openai-chat, model: m }
  - { name: b, url: "${b.url}/v1", dialect: openai-chat, model: m }
prompts: [{ name: p, dataset: { path: q.csv, column: q }, sharedPrefix: 16, cacheHits: 50% }]
load: { requests: 10, rounds: 2 }
thresholds: ["ttft.p50{cache=hit} < 1m", "ttft.n{cache=miss} == 5"]
`;
  const csv = `q\n${Array.from({ length: 7 }, (_, i) => `"question, ${i}"\n`).join('')}`;
  const { report } = await run(text, { 'q.csv': csv });
  expect(report.gates.map(({ verdict }) => verdict)).toEqual(['pass', 'pass']);
  const questions = [a, b].map((server) =>
    contents(bodies(server)).map((content) => content.split('\n\n').at(-1)),
  );
  expect(questions[0]).toEqual(questions[1]);
  expect(new Set(questions[0]!.slice(1, 8)).size).toBe(7);
});
