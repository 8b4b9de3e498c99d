import { dirname, resolve } from 'node:path';
import {
  type Block,
  type Cell,
  type ConnectOptions,
  type LoadLevel,
  type RunPlan,
  split,
} from '../model/plan.ts';
import type { Prompt } from '../model/prompt.ts';
import { type PromptInfo, promptInfos } from '../model/prompt-info.ts';
import type { UniqueInfo } from '../model/report.ts';
import { NONCE_PREFIX_LENGTH } from '../model/request.ts';
import { createRandom, shuffledIndexes } from '../model/seeded-random.ts';
import { type Trace, traceDueMs, traceInfo } from '../model/trace.ts';
import { bodyTemplate, writtenPlaceholders } from '../wire/template.ts';
import { timesOf } from './block-times.ts';
import type { LoadedScenario } from './parse.ts';
import { resolvePrompt } from './prompts.ts';
import type { Scenario } from './schema/scenario.ts';
import type { ScenarioTarget } from './schema/target.ts';
import { needsSimulator, resolveTarget, type StartedBackends } from './targets.ts';
import { sameRequests } from './unique.ts';

/** The plan of a run: its cells, blocks and prompts. */

/**
 * The order of `count` groups in each round. The first round is shuffled by the seed. Rounds form pairs; the second of a
 * pair has the reverse order, so that a steady drift affects all groups alike. The order is rotated from pair to pair, so
 * that groups do not keep their neighbors or their position.
 */
export function roundOrders(count: number, rounds: number, seed: number): number[][] {
  const base = [...shuffledIndexes(count, createRandom(seed))];
  const pairs = Math.ceil(rounds / 2);
  return Array.from({ length: rounds }, (_, round) => {
    const shift = Math.floor((Math.floor(round / 2) * count) / pairs);
    const order = [...base.slice(shift), ...base.slice(0, shift)];
    return round % 2 === 0 ? order : order.reverse();
  });
}

/** The connection options of each target, in order; undefined if all are at their defaults. */
function connectOptions({ scenario, file, authorities }: LoadedScenario): (ConnectOptions | undefined)[] {
  const folder = dirname(resolve(file));
  const { targets, connection } = scenario;
  return targets.map((target) =>
    present({
      ...pick(target),
      connection: connection === 'warm' ? undefined : connection,
      ip: target.ip === 'auto' ? undefined : target.ip,
      unix: target.unix === undefined ? undefined : resolve(folder, target.unix),
      ca: target.ca === undefined ? undefined : authorities.get(target.ca),
    }),
  );
}

function pick({ http, streamsPerSession, insecure, proxy, dns, resolve: pins }: ScenarioTarget) {
  return { http, streamsPerSession, insecure, proxy, dns, resolve: pins };
}

function present(options: { [K in keyof ConnectOptions]: ConnectOptions[K] | undefined }) {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined && value !== false);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as ConnectOptions);
}

/** The inputs of a plan that are not in the scenario. */
interface PlanOptions extends StartedBackends {
  /** Added to the seed of the nonces; each run has its own. Default: empty. */
  salt?: string;
}

/** True if the run must start the embedded simulator. */
export function usesSimulator(scenario: Scenario): boolean {
  return scenario.targets.some(needsSimulator);
}

/** Placeholder addresses for a plan that is not executed. */
export function unstarted({ targets }: Scenario): PlanOptions {
  const nowhere = 'http://127.0.0.1:0';
  const services = new Map(targets.map(({ name }) => [name, { url: nowhere, token: 'none' }]));
  return { simulatorUrl: nowhere, services };
}

/** The plan of a run of the scenario. The same scenario and seed give the same plan. */
export function planScenario(loaded: LoadedScenario, options: PlanOptions = {}): RunPlan {
  const { scenario, promptInputs } = loaded;
  const { trace } = promptInputs;
  const isSweep = scenario.load.sweep !== undefined;
  const groups = [...cellGroups(scenario), ...(isSweep ? [] : lengthGroups(scenario))];
  const connect = connectOptions(loaded);
  const asked = scenario.prompts.map((prompt) => resolvePrompt(prompt, promptInputs, scenario));
  const prompts = [...asked, ...lengthPrompts(scenario, asked)];
  return {
    targets: scenario.targets.map((target, index) => {
      const resolved = resolveTarget(target, options, connect[index]);
      // The reference service sends ids, and waits for a client that was cut off, only if it is asked to.
      const asksForIds = scenario.client?.resume !== undefined && target.service !== undefined;
      return asksForIds ? { ...resolved, extra: { resumable: true, ...resolved.extra } } : resolved;
    }),
    prompts,
    cells: groups.flat(2),
    blocks: scenario.load.sweep === undefined ? blocksOf(scenario, groups, trace) : [],
    sweep: scenario.load.sweep,
    warmup: scenario.load.warmup,
    timeouts: scenario.timeouts,
    streamForMs: scenario.streamForMs,
    limits: scenario.limits,
    seed: scenario.seed,
    salt: options.salt ?? '',
    same: sameRequests(scenario, asked),
    trace: trace && scenario.load.trace && traceInfo(trace, scenario.load.trace.speed),
    client: scenario.client,
    keepText: scenario.keepText,
    keepChunks: scenario.keepChunks || undefined,
    traceparent: scenario.traceparent || undefined,
    ...(scenario.tokenizer === 'none' ? {} : { tokenizer: scenario.tokenizer }),
  };
}

/** Cells that are measured in one block: a single one, or the stages of a load. */
type BlockCells = readonly Cell[];

// Cells in table order. A group contains the modes of one target, prompt and load level; they run one after the other, so
// that streaming and non-streaming are compared under the same conditions.
function cellGroups({ targets, prompts, load, modes }: Scenario): BlockCells[][] {
  const together: LoadLevel[][] = load.stages ? [load.levels] : load.levels.map((level) => [level]);
  return targets.flatMap(({ name: target }) =>
    prompts.flatMap(({ name: prompt }) =>
      together.map((levels) =>
        modes.map((mode) => levels.map((level) => ({ target, prompt, ...level, mode }))),
      ),
    ),
  );
}

/** The name of the first prompt in the length test. */
function lengthName(prompt: { name: string }, length: number): string {
  return `${prompt.name}, ${length} tokens`;
}

function lengthPrompts({ verdict, modes }: Scenario, [first]: readonly Prompt[]): Prompt[] {
  if (first === undefined || !modes.includes('streaming')) return [];
  return (verdict?.lengths ?? []).map((length) => ({
    ...first,
    name: lengthName(first, length),
    length,
    // Of a conversation its first turn.
    session: undefined,
  }));
}

// One group per target: the lengths of a round run one after the other, so that drift affects all alike.
function lengthGroups({ targets, prompts, verdict, modes }: Scenario): BlockCells[][] {
  const [first] = prompts;
  if (first === undefined || verdict === undefined || !modes.includes('streaming')) return [];
  return targets.map(({ name: target }) =>
    verdict.lengths.map((length) => [
      { target, prompt: lengthName(first, length), concurrency: 1, mode: 'streaming' as const, length },
    ]),
  );
}

function blocksOf(scenario: Scenario, groups: readonly BlockCells[][], trace: Trace | undefined): Block[] {
  const { load, seed, verdict } = scenario;
  const { requests, warmup } = load;
  // No more rounds than requests.
  const rounds = requests === undefined ? load.rounds : Math.min(load.rounds, requests);
  const shares = requests === undefined ? undefined : split(requests, rounds);
  const lengthShares = split(verdict?.requests ?? 0, rounds);
  const indexes = new Map(groups.flat(2).map((cell, index) => [cell, index]));
  const numbered = groups.map((group) => ({
    units: group.map((cells) => ({ first: indexOfFirst(indexes, cells), cells })),
    isLengths: group.flat().some(({ length }) => length !== undefined),
  }));
  // `!`: an order is a permutation of the groups' indexes, and there is one share per round.
  return roundOrders(groups.length, rounds, seed).flatMap((order, round) =>
    order.flatMap((group) => {
      const { units: inOrder, isLengths } = numbered[group]!;
      // The first mode may warm a cache for the second, so the order alternates between rounds (A B, B A), and half of
      // the groups start with the other mode.
      const units = (round + group) % 2 === 1 ? inOrder.toReversed() : inOrder;
      if (isLengths) {
        const cells = units.map(({ first }) => first);
        return lengthBlocks(cells, round, lengthShares[round]!, warmup);
      }
      return units.map(({ first, cells }): Block => {
        const block: Block = { round, cell: first, warmup: round === 0 ? warmup : 0 };
        if (shares) {
          block.requests = shares[round];
          block.first = sum(shares.slice(0, round));
        }
        return Object.assign(
          block,
          timesOf(scenario, cells, { first, rounds, round }),
          replayed(scenario, block, trace),
        );
      });
    }),
  );
}

function indexOfFirst(indexes: ReadonlyMap<Cell, number>, [first]: BlockCells): number {
  const index = first && indexes.get(first);
  if (index === undefined) throw new Error('a block has no cell');
  return index;
}

/** The arrivals of a block that replays its part of a trace: each round replays the next part. */
function replayed(
  { load }: Scenario,
  { first = 0, requests = 0 }: Block,
  trace: Trace | undefined,
): Pick<Block, 'arrivals'> {
  if (trace === undefined || load.trace === undefined) return {};
  return { arrivals: { process: 'trace', dueMs: traceDueMs(trace, load.trace.speed, first, requests) } };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function lengthBlocks(cells: readonly number[], round: number, requests: number, warmup: number): Block[] {
  if (requests === 0) return [];
  return cells.map((cell) => ({ round, cell, requests, warmup: round === 0 ? warmup : 0 }));
}

/** True if the numbers of a block are those of sessions, each of several requests. */
export function isSessionBlock({ cells, prompts }: RunPlan, block: Block): boolean {
  const name = cells[block.cell]?.prompt;
  return prompts.some((prompt) => prompt.name === name && prompt.session !== undefined);
}

/** The size of a plan. */
interface PlanSummary {
  cells: number;
  rounds: number;
  /** Measured requests of all cells; null if only a time limit applies, or if sessions have as many as they have turns. */
  requests: number | null;
  /** Measured sessions; absent if there are none, null if only a time limit applies. */
  sessions?: number | null;
  /** Unmeasured requests of all cells. */
  warmup: number;
  /** Whether prompts are unique. */
  unique: UniqueInfo;
  /** What prompts are drawn from; undefined if all are as written. */
  prompts?: readonly PromptInfo[];
  /** Warnings before the run; one sentence each. */
  warnings: string[];
}

/** The summary of a plan. */
export function planSummary(plan: RunPlan): PlanSummary {
  const { blocks, cells } = plan;
  const isSweep = plan.sweep !== undefined;
  const prompts = promptInfos(plan.prompts, plan.tokenizer !== undefined);
  const inSession = blocks.filter((block) => isSessionBlock(plan, block));
  const counted = (some: readonly Block[]) => !isSweep && some.every((block) => block.requests !== undefined);
  const sum = (some: readonly Block[]) => some.reduce((total, block) => total + (block.requests ?? 0), 0);
  return {
    cells: cells.length,
    rounds: isSweep ? 1 : blocks.reduce((most, block) => Math.max(most, block.round + 1), 0),
    requests: counted(blocks) && inSession.length === 0 ? sum(blocks) : null,
    ...(inSession.length > 0 && { sessions: counted(inSession) ? sum(inSession) : null }),
    warmup: blocks.reduce((sum, block) => sum + block.warmup, 0),
    unique: { salt: plan.salt ?? '', prefixChars: NONCE_PREFIX_LENGTH, same: plan.same ?? [] },
    prompts: prompts.length > 0 ? prompts : undefined,
    warnings: [...sameInBothModes(plan), ...brokenJson(plan)],
  };
}

// Such a body is sent as plain text, and a quote in a prompt is not escaped.
function brokenJson({ targets }: RunPlan): string[] {
  return targets.flatMap(({ name, body = '' }) => {
    if (!/^\s*(\{(?!\{)|\[)/.test(body) || bodyTemplate(body).kind === 'json') return [];
    return [`the body of target "${name}" starts like JSON but is not valid JSON; it is sent as plain text`];
  });
}

// Such requests are equal in both modes, unless the dialect has a separate URL for each mode.
function sameInBothModes({ targets, cells }: RunPlan): string[] {
  if (new Set(cells.map(({ mode }) => mode)).size < 2) return [];
  return targets
    .filter(
      (target) =>
        target.body !== undefined && !writtenPlaceholders({ ...target, url: target.baseUrl }).has('stream'),
    )
    .map(
      ({ name }) =>
        `target "${name}" gets the same body for streaming and non-streaming; add {{stream}} if the server selects the mode by the body`,
    );
}
