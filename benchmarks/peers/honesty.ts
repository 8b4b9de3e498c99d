import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { table } from '../client/tables.ts';
import { HONESTY_CASES, type HonestyCase, startHonestyServer } from './honesty-server.ts';
import { costOf } from './process-cost.ts';
import type { Reported, Tool } from './tools/tool.ts';

const REQUESTS = 10;
/** How far a reported TTFT may be from the true one: other programs run too. */
const TOLERANCE_MS = 25;

/** What a tool said about ten answers of one kind. */
export interface HonestyResult {
  case: string;
  tool: string;
  /** Requests that it calls successful. */
  ok: number;
  ttftMs: number | null;
  exit: number | null;
  /** What is wrong about it; empty if nothing is. */
  wrong: string[];
}

/** Runs each tool against each case, and compares what it says with what is true. */
export async function measureHonesty(tools: readonly Tool[], note: (text: string) => void) {
  const server = await startHonestyServer();
  const results: HonestyResult[] = [];
  for (const one of HONESTY_CASES) {
    server.serve(one);
    for (const tool of tools) {
      note(`${one.name}: ${tool.name}`);
      results.push(await resultOf(tool, one, server.port));
    }
  }
  server.close();
  return results;
}

async function resultOf(tool: Tool, one: HonestyCase, port: number): Promise<HonestyResult> {
  const folder = mkdtempSync(join(tmpdir(), 'streambench-honesty-'));
  const load = { port, streams: 2, requests: REQUESTS, tokens: 10, folder: join(folder, '.') };
  try {
    const { code, stdout, stderr } = await costOf(tool.command(load), {
      ...{ cwd: folder, env: tool.env, limitMs: 120_000 },
    });
    const { ok, ttft } = reported(tool, load);
    const ttftMs = ttft?.p50 ?? null;
    const said = { ok, ttftMs, exit: code, output: `${stdout}\n${stderr}` };
    return { case: one.name, tool: tool.name, ok, ttftMs, exit: code, wrong: faults(one, said) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A tool that stopped may have left no result. */
function reported(tool: Tool, load: Parameters<Tool['read']>[0]): Pick<Reported, 'ok' | 'ttft'> {
  try {
    return tool.read(load);
  } catch {
    return { ok: 0, ttft: null };
  }
}

interface Said {
  ok: number;
  ttftMs: number | null;
  exit: number | null;
  output: string;
}

function faults({ isGood, ttftMs, says }: HonestyCase, said: Said): string[] {
  const wrong: string[] = [];
  const expected = isGood ? REQUESTS : 0;
  if (said.ok !== expected) wrong.push(`${said.ok} ok`);
  if (isGood !== (said.exit === 0)) wrong.push(`exit ${said.exit}`);
  if (ttftMs !== undefined && said.ok > 0 && !isNear(said.ttftMs, ttftMs))
    wrong.push(`TTFT ${said.ttftMs === null ? 'none' : said.ttftMs.toFixed(0)}`);
  if (says !== undefined && !says.test(said.output)) wrong.push('not told');
  return wrong;
}

function isNear(value: number | null, truth: number): boolean {
  return value !== null && Math.abs(value - truth) <= TOLERANCE_MS;
}

/** A row for each case, a column for each tool. */
export function honestyTable(results: readonly HonestyResult[], tools: readonly Tool[]): string {
  const rows = HONESTY_CASES.map(({ name, isGood, ttftMs }) => {
    const right = isGood ? `${REQUESTS} ok, TTFT ${ttftMs}` : '0 ok, exit not 0';
    const cells = tools.map((tool) => {
      const found = results.find((result) => result.case === name && result.tool === tool.name);
      return found === undefined ? '-' : found.wrong.join(', ') || 'right';
    });
    return [name, right, ...cells];
  });
  const right = tools.map(
    (tool) => results.filter((result) => result.tool === tool.name && result.wrong.length === 0).length,
  );
  return table(
    ['answers', 'what is true', ...tools.map(({ name }) => name)],
    [...rows, ['', 'right', ...right.map((count) => `${count} of ${HONESTY_CASES.length}`)]],
    [],
  );
}
