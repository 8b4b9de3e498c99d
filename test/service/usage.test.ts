import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadSqlite } from '../../src/service/sqlite.ts';
import { openStore } from '../../src/service/store.ts';
import { usageOf } from '../../src/service/usage-cost.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';
import { clientOf, closedAfterEach, jsonOf, startService, startStack } from './support.ts';

const open = closedAfterEach();

const PRICE = { inputPerMillion: 2, outputPerMillion: 10 };

/** A service in front of a model that states these token counts. */
async function countingService(usage: object | undefined) {
  const end = usage === undefined ? '' : `data: ${JSON.stringify({ choices: [], usage })}\n\n`;
  const server = await rawServer((socket) => {
    const text = `${chatChunk({ content: 'Hi' })}${chatChunk({}, 'stop')}${end}data: [DONE]\n\n`;
    socket.write(SSE_HEAD + chunked(text) + CHUNKED_END);
  });
  open.push(server);
  const service = await startService(
    [{ name: 'counting', model: 'm', client: clientOf(`${server.url}/v1`) }],
    {
      prices: { m: PRICE },
    },
  );
  open.push(service);
  return service;
}

async function lastMessage(service: Awaited<ReturnType<typeof countingService>>, session: string) {
  type Stored = { messages: Record<string, unknown>[] };
  return (await jsonOf<Stored>(service.get(`/sessions/${session}/messages`))).messages.at(-1)!;
}

describe('the tokens and the cost of an answer', () => {
  test('are stored with it, and counted', async () => {
    const service = await countingService({ prompt_tokens: 1_000, completion_tokens: 500 });
    for (const id of ['a', 'b']) {
      await (await service.post('/chat/stream', { message: 'x', session_id: id })).text();
      expect(await lastMessage(service, id)).toMatchObject({
        content: 'Hi',
        input_tokens: 1_000,
        output_tokens: 500,
        cost_usd: 0.007,
      });
    }
    const text = await (await service.get('/metrics')).text();
    expect(text).toContain('streambench_service_tokens_total{route="chat-stream",direction="input"} 2000');
    expect(text).toContain('streambench_service_tokens_total{route="chat-stream",direction="output"} 1000');
    expect(text).toMatch(/cost_usd_total\{route="chat-stream"\} 0\.014/);
  });

  test('are unknown, not zero, for a model that states none', async () => {
    const service = await countingService(undefined);
    await (await service.post('/chat/stream', { message: 'x', session_id: 'a' })).text();
    const message = await lastMessage(service, 'a');
    for (const field of ['input_tokens', 'output_tokens', 'cost_usd'])
      expect(message).not.toHaveProperty(field);
    expect(await (await service.get('/metrics')).text()).not.toMatch(/tokens_total\{/);
  });

  test('have no cost without a price, or with one count only', () => {
    expect(usageOf({ inputTokens: 5, outputTokens: 6 }, undefined).costUsd).toBeUndefined();
    expect(usageOf({ inputTokens: 5 }, PRICE)).toEqual({
      inputTokens: 5,
      outputTokens: undefined,
      costUsd: undefined,
    });
    expect(usageOf({ inputTokens: 5, outputTokens: 0 }, PRICE).costUsd).toBeCloseTo(0.00001);
  });

  test('of a whole answer too', async () => {
    const stack = await startStack({ prices: { quick: PRICE } });
    open.push(stack);
    await stack.post('/chat', { message: 'x', session_id: 'a' });
    expect(await lastMessage(stack, 'a')).toMatchObject({ output_tokens: 12, cost_usd: expect.any(Number) });
  });
});

test('a file of an earlier version gets the new columns, and keeps its messages', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'streambench-store-'));
  open.push({ close: async () => rmSync(folder, { recursive: true, force: true }) });
  const file = join(folder, 'old.db');
  const old = (await loadSqlite())(file);
  old.exec(`CREATE TABLE messages (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, session TEXT NOT NULL, role TEXT NOT NULL,
    content TEXT NOT NULL, thinking TEXT NOT NULL DEFAULT '', partial INTEGER NOT NULL DEFAULT 0, reason TEXT, model TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL)`);
  old.exec(`INSERT INTO messages VALUES (1, 'ada', 's', 'user', 'kept', '', 0, NULL, NULL, 't', 't')`);
  old.close();
  for (const content of ['first', 'second']) {
    const store = await openStore(file, new FakeClock());
    store.addAssistant(
      { owner: 'ada', session: 's' },
      { content, thinking: '', partial: false, usage: { inputTokens: 1 } },
    );
    store.close();
  }
  const store = await openStore(file, new FakeClock());
  const messages = store.messages({ owner: 'ada', session: 's' }, 10);
  store.close();
  expect(messages.map(({ content, usage }) => [content, usage?.inputTokens])).toEqual([
    ['kept', undefined],
    ['first', 1],
    ['second', 1],
  ]);
});

test('the Grafana dashboard queries metrics that the service has, and is complete', async () => {
  const dashboard = JSON.parse(
    readFileSync(new URL('../../examples/grafana/streambench-service.json', import.meta.url), 'utf8'),
  ) as {
    title: string;
    schemaVersion: number;
    __inputs: { name: string; type: string; pluginId: string }[];
    panels: {
      id: number;
      type: string;
      gridPos: Record<'x' | 'y' | 'w' | 'h', number>;
      datasource: { uid: string };
      targets: { expr: string; refId: string }[];
    }[];
  };
  const stack = await startStack();
  open.push(stack);
  await (await stack.post('/chat/stream', { message: 'x' })).text();
  const metrics = await (await stack.get('/metrics')).text();
  const names = new Set(
    [...metrics.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  expect(dashboard.__inputs).toEqual([
    expect.objectContaining({ name: 'DS_PROMETHEUS', pluginId: 'prometheus' }),
  ]);
  expect([dashboard.title, dashboard.schemaVersion >= 36]).toEqual(['streambench service', true]);
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x},${y}`)).size).toBe(panels.length);
  const used = panels.flatMap(({ datasource, targets, gridPos }) => {
    expect(datasource.uid).toBe('${DS_PROMETHEUS}');
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    return targets.flatMap(({ expr }) => expr.match(/\b(?:streambench_service|process|nodejs)_\w+/g) ?? []);
  });
  expect(used.filter((name) => !names.has(name))).toEqual([]);
  for (const name of names) {
    if (/^streambench_service_\w+(?<!_sum|_count)$/.test(name)) expect(used).toContain(name);
  }
});
