import { dirname, resolve } from 'node:path';
import {
  type Block,
  type Cell,
  type ConnectOptions,
  type Prompt,
  type RunPlan,
  split,
} from '../model/plan.ts';
import type { UniqueInfo } from '../model/report.ts';
import { NONCE_PREFIX_LENGTH } from '../model/request.ts';
import { createRandom } from '../model/seeded-random.ts';
import { bodyTemplate, writtenPlaceholders } from '../wire/template.ts';
import type { LoadedScenario } from './parse.ts';
import { resolvePrompt } from './prompts.ts';
import type { Scenario } from './schema/scenario.ts';
import type { ScenarioTarget } from './schema/target.ts';
import { needsSimulator, resolveTarget, type StartedBackends } from './targets.ts';
import { isUnique, sameRequests } from './unique.ts';

/** In which order the cells of a run take their turns. */

/**
 * The order of `count` groups in each round. The first round is a shuffle by the seed. Rounds go in pairs, the
 * second of a pair in the reverse order of the first, so that a steady drift weighs on all groups alike; from pair to
 * pair the order is rotated, so that no group keeps its neighbours or the ends of the round to itself.
 */
export function roundOrders(count: number, rounds: number, seed: number): number[][] {
  const base = shuffled(count, seed);
  const pairs = Math.ceil(rounds / 2);
  return Array.from({ length: rounds }, (_, round) => {
    const shift = Math.floor((Math.floor(round / 2) * count) / pairs);
    const order = [...base.slice(shift), ...base.slice(0, shift)];
    return round % 2 === 0 ? order : order.reverse();
  });
}

function shuffled(count: number, seed: number): number[] {
  const random = createRandom(seed);
  const order = Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** How connections to each target are made, in the order of the targets; undefined where all is at its default. */
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

/** What a plan needs that a scenario cannot know. */
interface PlanOptions extends StartedBackends {
  /** What nonces are drawn from beside the seed; a run draws its own. Default: empty. */
  salt?: string;
}

/** True when the run must start the embedded simulator. */
export function usesSimulator(scenario: Scenario): boolean {
  return scenario.targets.some(needsSimulator);
}

/** Addresses for a plan that is only looked at: nothing is started, and nothing is sent to them. */
export function unstarted({ targets }: Scenario): PlanOptions {
  const nowhere = 'http://127.0.0.1:0';
  const services = new Map(targets.map(({ name }) => [name, { url: nowhere, token: 'none' }]));
  return { simulatorUrl: nowhere, services };
}

/**
 * All that a run of the scenario will do. The same scenario and seed give the same plan. Throws a `UserError` for files
 * of authorities that are none.
 */
export function planScenario(loaded: LoadedScenario, options: PlanOptions = {}): RunPlan {
  const { scenario, promptTexts } = loaded;
  const groups = [...cellGroups(scenario), ...lengthGroups(scenario)];
  const connect = connectOptions(loaded);
  const asked = scenario.prompts.map((prompt) => ({
    ...resolvePrompt(prompt, promptTexts),
    unique: isUnique(scenario, prompt),
  }));
  const prompts = [...asked, ...lengthPrompts(scenario, asked[0]!)];
  return {
    targets: scenario.targets.map((target, index) => resolveTarget(target, options, connect[index])),
    prompts,
    cells: groups.flat(),
    blocks: blocksOf(scenario, groups),
    timeouts: scenario.timeouts,
    limits: scenario.limits,
    seed: scenario.seed,
    salt: options.salt ?? '',
    same: sameRequests(scenario, asked),
    keepText: scenario.keepText,
    ...(scenario.tokenizer === 'none' ? {} : { tokenizer: scenario.tokenizer }),
  };
}

// Cells in table order; a group holds the modes of one target, prompt and load, which stay together so that
// streaming and non-streaming are compared under the same conditions.
function cellGroups({ targets, prompts, load, modes }: Scenario): Cell[][] {
  return targets.flatMap((target) =>
    prompts.flatMap((prompt) =>
      load.levels.map((level) =>
        modes.map((mode) => ({ target: target.name, prompt: prompt.name, ...level, mode })),
      ),
    ),
  );
}

/** The name of the first prompt where it is asked for answers of a length. */
function lengthName(prompt: { name: string }, length: number): string {
  return `${prompt.name}, ${length} tokens`;
}

function lengthPrompts({ verdict, modes }: Scenario, first: Prompt): Prompt[] {
  if (!modes.includes('streaming')) return [];
  return (verdict?.lengths ?? []).map((length) => ({ ...first, name: lengthName(first, length), length }));
}

// One group a target: the lengths of a round follow each other, so that drift hits all alike.
function lengthGroups({ targets, prompts, verdict, modes }: Scenario): Cell[][] {
  if (verdict === undefined || !modes.includes('streaming')) return [];
  return targets.map(({ name: target }) =>
    verdict.lengths.map((length) => ({
      target,
      prompt: lengthName(prompts[0]!, length),
      concurrency: 1,
      mode: 'streaming' as const,
      length,
    })),
  );
}

function blocksOf({ load, seed, verdict }: Scenario, groups: readonly Cell[][]): Block[] {
  const { requests, durationMs, warmup } = load;
  // A round without a request would be no round.
  const rounds = requests === undefined ? load.rounds : Math.min(load.rounds, requests);
  const shares = requests === undefined ? undefined : split(requests, rounds);
  const lengthShares = split(verdict?.requests ?? 0, rounds);
  const firsts = groups.map((_, i) => groups.slice(0, i).reduce((sum, { length }) => sum + length, 0));
  return roundOrders(groups.length, rounds, seed).flatMap((order, round) =>
    order.flatMap((group) => {
      const cells = groups[group]!.map((_, i) => firsts[group]! + i);
      const isLengths = groups[group]![0]?.length !== undefined;
      // Whichever mode goes first may warm a cache for the other: they swap from round to round (A B, B A), and
      // half of the groups begin the other way round.
      if ((round + group) % 2 === 1) cells.reverse();
      if (isLengths) return lengthBlocks(cells, round, lengthShares[round]!, warmup);
      return cells.map(
        (cell): Block => ({
          round,
          cell,
          ...(shares === undefined ? {} : { requests: shares[round]! }),
          ...(durationMs === undefined ? {} : { durationMs: durationMs / rounds }),
          warmup: round === 0 ? warmup : 0,
          // All cells of a round are asked at the same moments: what differs is not the luck of the draw.
          ...(load.levels.some(({ rate }) => rate !== undefined) && {
            arrivals: { process: load.arrivals, seed: seed + round },
          }),
        }),
      );
    }),
  );
}

function lengthBlocks(cells: readonly number[], round: number, requests: number, warmup: number): Block[] {
  if (requests === 0) return [];
  return cells.map((cell) => ({ round, cell, requests, warmup: round === 0 ? warmup : 0 }));
}

/** The extent of a plan, in figures. */
interface PlanSummary {
  cells: number;
  rounds: number;
  /** Measured requests of all cells; null when only time limits them. */
  requests: number | null;
  /** Unmeasured requests of all cells. */
  warmup: number;
  /** How requests are kept from sharing a prefix. */
  unique: UniqueInfo;
  /** What the user should know before the run; one sentence each. */
  warnings: string[];
}

/** Sums a plan up. */
export function planSummary(plan: RunPlan): PlanSummary {
  const { blocks, cells } = plan;
  const counted = blocks.every((block) => block.requests !== undefined);
  return {
    cells: cells.length,
    rounds: blocks.reduce((most, block) => Math.max(most, block.round + 1), 0),
    requests: counted ? blocks.reduce((sum, block) => sum + (block.requests ?? 0), 0) : null,
    warmup: blocks.reduce((sum, block) => sum + block.warmup, 0),
    unique: { salt: plan.salt ?? '', prefixChars: NONCE_PREFIX_LENGTH, same: plan.same ?? [] },
    warnings: [...sameInBothModes(plan), ...brokenJson(plan)],
  };
}

// As text it is sent as it is, and a prompt with a quote in it would break it further.
function brokenJson({ targets }: RunPlan): string[] {
  return targets.flatMap(({ name, body = '' }) => {
    if (!/^\s*(\{(?!\{)|\[)/.test(body) || bodyTemplate(body).kind === 'json') return [];
    return [`the body of target "${name}" begins like JSON and is not valid JSON: it is sent as plain text`];
  });
}

// Nothing in such a request tells a stream from a whole answer, but for a dialect that has a URL of its own for each.
function sameInBothModes({ targets, cells }: RunPlan): string[] {
  if (new Set(cells.map(({ mode }) => mode)).size < 2) return [];
  return targets
    .filter(
      (target) =>
        target.body !== undefined && !writtenPlaceholders({ ...target, url: target.baseUrl }).has('stream'),
    )
    .map(
      ({ name }) =>
        `target "${name}" is sent the same body for streaming and non-streaming: put {{stream}} in it where the service goes by that`,
    );
}
