import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Report } from '../../src/model/report.ts';
import { scratch, streambench } from '../support/program.ts';
import { CHUNKED_END, chatChunk, chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';

// The server's own log of bodies is the witness. Each test runs the program.
vi.setConfig({ testTimeout: 60_000 });

const folder = scratch();
afterAll(() => folder.dispose());
const serve = rawServers();

interface Body {
  messages: { role: string; content?: string; tool_calls?: { id: string }[]; tool_call_id?: string }[];
}

/**
 * Answers every request with a text of its own, and a question that begins with "find" by two tool calls as well. A question
 * "break" gets a 500. Keeps the bodies, and the most requests that were open at once.
 */
async function chat() {
  const log: { body: Body; answer: string }[] = [];
  const server = await serve((socket, request) => {
    const body: Body = JSON.parse(request.slice(request.indexOf('\r\n\r\n') + 4));
    const last = body.messages.at(-1)!;
    if (last.content === 'break') {
      socket.write('HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    const answer = `answer ${log.length}`;
    log.push({ body, answer });
    const call = (index: number) => ({
      tool_calls: [
        {
          index,
          id: `${answer} ${index}`,
          type: 'function',
          function: { name: 'lookup', arguments: '{"q":1}' },
        },
      ],
    });
    const calls = last.content?.includes('find') ? [chatChunk(call(0)), chatChunk(call(1))] : [];
    const chunks = [chatChunk({ content: answer }), ...calls, chatChunk({}, 'stop'), 'data: [DONE]\n\n'];
    socket.write(SSE_HEAD + chunks.map(chunked).join('') + CHUNKED_END);
  });
  return { url: server.url, log };
}

let count = 0;
async function run(
  url: string,
  prompt: string,
  load: string,
  files: Record<string, string> = {},
  ...flags: string[]
) {
  const home = join(folder.path, `${count++}`);
  mkdirSync(home);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  const text = `version: 1
name: sessions
targets: [{ name: t, url: "${url}/v1", dialect: openai-chat, model: m }]
prompts:
  - ${prompt}
load: ${load}
thresholds: ["ttft.n{turn=2} >= 1"]
`;
  writeFileSync(join(home, 's.yaml'), text);
  const { code, stdout, stderr } = await streambench([
    'run',
    join(home, 's.yaml'),
    '-o',
    join(home, 'out'),
    ...flags,
  ]);
  expect(code, stderr).toBe(0);
  const results = join(home, 'out', readdirSync(join(home, 'out'))[0]!);
  const report: Report = JSON.parse(readFileSync(join(results, 'report.json'), 'utf8'));
  const lines = readFileSync(join(results, 'records.ndjson'), 'utf8').trim().split('\n');
  return {
    stdout,
    report,
    cell: report.cells[0]!,
    records: lines.map((line): RequestRecord => JSON.parse(line)),
  };
}

test.each([1, 2])(
  'on %i threads the answers of the server are carried over, after the think time',
  async (threads) => {
    const server = await chat();
    const prompt =
      '{ name: p, turns: [one, { user: "two {{n}}", think: 30ms }, three], session: { think: 5ms }, variables: { n: [7, 8] } }';
    const { records, cell, report } = await run(
      server.url,
      prompt,
      '{ concurrency: 2, requests: 6, rounds: 2 }',
      {},
      '--workers',
      String(threads),
    );
    expect(records).toHaveLength(18);
    expect(cell.sessions).toMatchObject({ started: 6, completed: 6, unsentTurns: 0 });
    expect(cell.sessions?.turns.map(({ requests }) => requests)).toEqual([6, 6, 6]);
    // The warm-up is a first turn only.
    expect(server.log).toHaveLength(19);
    const third = server.log.filter(({ body }) => body.messages.length === 5);
    expect(third).toHaveLength(6);
    for (const { body } of third) {
      const [q1, a1, q2, a2, q3] = body.messages;
      expect([q2?.content?.replace(/\d/, 'n'), q3?.content]).toEqual(['two n', 'three']);
      // Each answer is the one that the server gave to the same beginning of this conversation.
      const first = server.log.find(
        ({ body: { messages } }) => messages.length === 1 && messages[0]?.content === q1?.content,
      );
      const second = server.log.find(
        ({ body: { messages } }) => messages.length === 3 && messages[0]?.content === q1?.content,
      );
      expect([a1, a2]).toEqual([first, second].map((one) => ({ role: 'assistant', content: one?.answer })));
      // The nonce is the session's, so that the beginning stays the same.
      expect(q1?.content).toMatch(/^[0-9a-z]{8}\n\none$/);
    }
    const thinking = records.filter(({ turn }) => turn?.turn === 2).map(({ turn }) => turn?.thinkMs ?? 0);
    expect(Math.min(...thinking)).toBeGreaterThanOrEqual(29);
    expect(Math.max(...records.map(({ inFlight }) => inFlight ?? 0))).toBeLessThanOrEqual(2);
    expect(records.every(({ text }) => text === undefined)).toBe(true);
    expect(report.gates[0]?.verdict).toBe('pass');
  },
);

test('tool calls are answered with recorded results, and a failed turn ends its session', async () => {
  const server = await chat();
  const talk = (id: string, question: string, after: string) =>
    JSON.stringify({
      id,
      messages: [
        { role: 'user', content: question },
        { role: 'assistant', content: null, tool_calls: [] },
        { role: 'tool', content: 'first' },
        { role: 'tool', content: 'second' },
        { role: 'assistant', content: 'recorded' },
        { role: 'user', content: after },
        { role: 'assistant', content: 'recorded' },
        { role: 'user', content: 'bye' },
      ],
    });
  const files = {
    'talk.jsonl': `${talk('agent', 'find it', 'thanks')}\n${talk('broken', 'hello', 'break')}\n`,
  };
  const prompt =
    '{ name: p, dataset: { path: talk.jsonl, order: sequential }, session: {}, unique: false, tools: [{ name: lookup }] }';
  const { records, cell, stdout } = await run(
    server.url,
    prompt,
    '{ requests: 2, rounds: 1, warmup: 0 }',
    files,
    '--keep-going',
  );
  const ofAgent = server.log
    .map(({ body }) => body.messages)
    .filter(([first]) => first?.content === 'find it');
  expect(ofAgent.map(({ length }) => length)).toEqual([1, 4, 6, 8].slice(0, 4));
  expect(ofAgent[1]?.slice(1)).toEqual([
    expect.objectContaining({ role: 'assistant', content: 'answer 0' }),
    { role: 'tool', tool_call_id: 'answer 0 0', content: 'first' },
    { role: 'tool', tool_call_id: 'answer 0 1', content: 'second' },
  ]);
  expect(ofAgent[1]?.[1]?.tool_calls?.map(({ id }) => id)).toEqual(['answer 0 0', 'answer 0 1']);
  expect(records.map(({ promptId, turn, outcome }) => `${promptId} ${turn?.turn} ${outcome.kind}`)).toEqual([
    ...['agent 1 ok', 'agent 2 ok', 'agent 3 ok', 'agent 4 ok'],
    ...['broken 1 ok', 'broken 2 http_error'],
  ]);
  // Without a call its results are left out; after the failure one turn is not sent.
  expect(cell.sessions).toMatchObject({ started: 2, completed: 1, unsentTurns: 1, skippedTurns: 1 });
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('1 of 2 sessions completed; 1 turn not sent');
});
