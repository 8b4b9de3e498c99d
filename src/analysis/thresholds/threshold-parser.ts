import { CACHE_GROUPS, CACHE_METRICS } from '../../metrics/cache-groups.ts';
import type { Operator } from '../../metrics/objective-check.ts';
import { GROUP_METRICS } from '../../metrics/record-group.ts';
import { nearNames, suggest } from '../../model/suggestions.ts';
import { aggregationsOf, FAMILIES, findQuantity, type Quantity, quantileOf } from '../quantities.ts';
import { NAME, readOperator, Scanner } from './scanner.ts';
import { readLimit } from './threshold-limit.ts';

/**
 * The grammar of thresholds.
 *
 *     threshold   = quantity [ "{" label { "," label } "}" ] operator limit
 *     quantity    = metric "." aggregation            ttft.p95, token_rate.p50, gap.max
 *                 | family "." figure                 errors.rate, stalls.rate, streaming.verdict, throughput.tokens
 *                 | "capacity.concurrency" | "capacity.rate"   what a sweep has found; `{slo}` may follow
 *                 | "goodput"                     and goodput.rate: share of requests that met every objective
 *     aggregation = "p" percent | "mean" | "min" | "max" | "sd" | "n"
 *     label       = ( "target" | "prompt" | "concurrency" | "rate" | "stage" | "mode" ) ( "=" | "!=" ) value
 *                 | "vs" "=" value                ttft.p95{target=gateway, vs=direct}: difference to that target
 *                 | "cache" "=" ( "hit" | "miss" )   ttft.p50{cache=miss}: requests whose prompt was (not) cached, as planned by cacheHits or as reported
 *                 | "turn" "=" number            ttft.p95{turn=2}: requests of this turn of a session, from 1
 *     value       = bare text without , { } and quotes | text in quotes
 *     operator    = "<" | "<=" | ">" | ">=" | "==" | "!="
 *     limit       = number unit | word
 *
 * Units: us, ms, s, m, h for times (a time without a unit is an error); % or a share below 1; /s or none for rates.
 * White space between the parts is optional.
 */

/** The names of labels. */
export const LABELS = [
  'target',
  'prompt',
  'concurrency',
  'rate',
  'stage',
  'mode',
  'cache',
  'turn',
  'vs',
] as const;

/** The name of a label. */
export type LabelName = (typeof LABELS)[number];

/** One condition in the braces: it selects cells. */
export interface Label {
  name: LabelName;
  value: string;
  /** True for `!=`. */
  not: boolean;
  /** Column of the value, from 1. */
  column: number;
}

/** A parsed threshold. */
export interface Threshold {
  /** As written, trimmed. */
  expression: string;
  quantity: Quantity;
  labels: readonly Label[];
  /** The target whose value, at the same prompt, load level and mode, is subtracted from that of each cell. */
  versus?: { target: string; column: number };
  operator: Operator;
  /** In the quantity's unit (times in ms, shares from 0 to 1), or a word for verdicts. */
  limit: number | string;
}

const AGGREGATION = /[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}\p{N}_]+)?/uy;
const SLO = /\s*\{\s*slo\s*\}/y;
const LABEL_OPERATOR = /!=|=/y;
const QUOTED = /"([^"]*)"|'([^']*)'/y;
const BARE = /[^,{}"']+/y;

/** Common names of aggregations that have another name here. */
const ALIASES: Readonly<Record<string, string>> = {
  avg: 'mean',
  average: 'mean',
  median: 'p50',
  med: 'p50',
  count: 'n',
  stddev: 'sd',
  std: 'sd',
};

/** Parses a threshold. Throws a `UserError` (`usage`) with the expression, the column and the remedy. */
export function parseThreshold(text: string): Threshold {
  const expression = text.trim();
  const scanner = new Scanner(expression, 'threshold');
  const named = readQuantity(scanner);
  // `capacity.concurrency{slo}`: under the objectives of the sweep, which is always so.
  if (named.ofSweep) scanner.match(SLO);
  const given = scanner.take('{') ? readLabels(scanner) : [];
  const inTurn = inTurnGroup(scanner, named, given);
  const { quantity, labels } = inCacheGroup(scanner, inTurn.quantity, inTurn.labels);
  const operator = readOperator(scanner);
  const limit = readLimitOf(scanner, quantity, operator);
  const vs = labels.find(({ name }) => name === 'vs');
  if (vs === undefined) return { expression, quantity, labels, operator, limit };
  if (vs.not || quantity.unit === 'verdict') {
    const message = vs.not
      ? 'vs takes = and one target'
      : `"${quantity.name}" is a word: words have no difference`;
    scanner.fail(message, 'example: ttft.p95{vs=direct} < 5ms', vs.column - 1);
  }
  const versus = { target: vs.value, column: vs.column };
  return { expression, quantity, labels: labels.filter((label) => label !== vs), versus, operator, limit };
}

/** Limits the quantity to the group of the label `cache`. Returns it with the other labels. */
function inCacheGroup(scanner: Scanner, quantity: Quantity, labels: Label[]) {
  const label = labels.find(({ name }) => name === 'cache');
  if (label === undefined) return { quantity, labels };
  const group = CACHE_GROUPS.find((known) => (known === label.value) !== label.not);
  if (group === undefined || !(CACHE_GROUPS as readonly string[]).includes(label.value)) {
    scanner.fail(
      `unknown cache group "${label.value}"`,
      suggest(label.value, CACHE_GROUPS),
      label.column - 1,
    );
  }
  const { family } = quantity;
  if (!CACHE_METRICS.includes(family)) {
    const hint = `known: ${CACHE_METRICS.join(', ')}`;
    scanner.fail(`"${family}" is not measured separately for cache hits and misses`, hint, label.column - 1);
  }
  // What was planned is known of every request; not every provider reports cached tokens.
  const read: Quantity['read'] = (cell) => {
    const groups = cell.plannedCache ?? cell.cache;
    return groups ? quantity.read({ ...cell, metrics: groups[group].metrics }) : null;
  };
  return {
    quantity: { ...quantity, read, cacheGroup: group },
    labels: labels.filter((one) => one !== label),
  };
}

/** Limits the quantity to the turn of the label `turn`. Returns it with the other labels. */
function inTurnGroup(scanner: Scanner, quantity: Quantity, labels: Label[]) {
  const label = labels.find(({ name }) => name === 'turn');
  if (label === undefined) return { quantity, labels };
  const at = label.column - 1;
  if (label.not || !/^[1-9]\d*$/.test(label.value)) {
    scanner.fail('turn takes = and a number from 1', 'example: ttft.p95{turn=2} < 800ms', at);
  }
  if (labels.some(({ name }) => name === 'cache')) {
    scanner.fail('turn and cache cannot be combined', 'write one threshold for each', at);
  }
  const { family } = quantity;
  if (!GROUP_METRICS.includes(family)) {
    scanner.fail(
      `"${family}" is not measured separately for the turns of a session`,
      `known: ${GROUP_METRICS.join(', ')}`,
      at,
    );
  }
  const read: Quantity['read'] = (cell) => {
    const group = cell.sessions?.turns[Number(label.value) - 1];
    return group ? quantity.read({ ...cell, metrics: group.metrics }) : null;
  };
  return {
    quantity: { ...quantity, read, turn: Number(label.value) },
    labels: labels.filter((one) => one !== label),
  };
}

function readQuantity(scanner: Scanner): Quantity {
  const from = scanner.at;
  const family = scanner.match(NAME)?.[0];
  if (family === undefined) {
    scanner.fail(`expected a metric, found ${scanner.next()}`, 'example of a threshold: ttft.p95 < 800ms');
  }
  if (!FAMILIES.includes(family)) scanner.fail(`unknown metric "${family}"`, suggest(family, FAMILIES), from);
  const aggregations = aggregationsOf(family);
  const dotAt = scanner.at;
  const dotted = scanner.take('.');
  const alone = dotted ? undefined : findQuantity(family, undefined);
  if (alone) return alone;
  if (!dotted && aggregations.length > 0) {
    const examples = aggregations.map((name) => `${family}.${name}`).join(', ');
    scanner.fail(`"${family}" needs a figure`, `write one of: ${examples}`, dotAt);
  }
  const aggregationAt = scanner.at;
  const aggregation = dotted ? scanner.match(AGGREGATION)?.[0] : undefined;
  if (dotted && aggregations.length === 0) {
    scanner.fail(`"${family}" takes no figure`, `write: ${family}`, dotAt);
  }
  if (dotted && aggregation === undefined) {
    scanner.fail(
      `expected a figure of "${family}", found ${scanner.next()}`,
      `known: ${aggregations.join(', ')}`,
    );
  }
  const quantity = findQuantity(family, aggregation);
  if (quantity) return quantity;
  scanner.fail(
    `"${family}" has no figure "${aggregation}"`,
    aggregationHint(aggregation ?? '', aggregations),
    aggregationAt,
  );
}

function aggregationHint(name: string, known: readonly string[]): string {
  const alias = ALIASES[name.toLowerCase()];
  const meant = alias !== undefined && known.includes(alias) ? [alias] : nearNames(name, known);
  const list = `known: ${known.join(', ')}${known.includes('p95') ? ', and any other percentile such as p99.9' : ''}`;
  if (quantileOf(name) !== undefined || meant.length === 0) return list;
  return `did you mean ${meant.map((one) => `"${one}"`).join(' or ')}? ${list}`;
}

function readLabels(scanner: Scanner): Label[] {
  const labels: Label[] = [];
  for (;;) {
    scanner.space();
    const nameAt = scanner.at;
    const name = scanner.match(NAME)?.[0];
    if (name === undefined) {
      scanner.fail(`expected a label, found ${scanner.next()}`, `known: ${LABELS.join(', ')}`);
    }
    if (!isLabel(name)) scanner.fail(`unknown label "${name}"`, suggest(name, LABELS), nameAt);
    if (labels.some((label) => label.name === name && !label.not)) {
      scanner.fail(`label "${name}" is given twice`, 'write one threshold per value', nameAt);
    }
    scanner.space();
    const sign = scanner.match(LABEL_OPERATOR)?.[0];
    if (sign === undefined) {
      scanner.fail(`expected = or != after "${name}", found ${scanner.next()}`, `write: {${name}=VALUE}`);
    }
    scanner.space();
    const column = scanner.at + 1;
    const quoted = scanner.match(QUOTED);
    const value = quoted ? (quoted[1] ?? quoted[2] ?? '') : (scanner.match(BARE)?.[0].trim() ?? '');
    if (value === '') scanner.fail(`label "${name}" has no value`, `write: {${name}=VALUE}`, column - 1);
    labels.push({ name, value, not: sign === '!=', column });
    if (scanner.take('}')) return labels;
    if (!scanner.take(',')) {
      scanner.fail(
        `expected , or } after a label, found ${scanner.next()}`,
        'example: {target=flash, prompt=short}',
      );
    }
  }
}

function isLabel(name: string): name is LabelName {
  return (LABELS as readonly string[]).includes(name);
}

function readLimitOf(scanner: Scanner, { name, unit, words }: Quantity, operator: Operator): number | string {
  const operatorAt = scanner.at - operator.length;
  scanner.space();
  const text = scanner.text.slice(scanner.at);
  if (unit !== 'verdict') {
    const limit = readLimit(text, unit);
    if ('value' in limit) return limit.value;
    scanner.fail(limit.problem, limit.hint, scanner.at + limit.offset);
  }
  const known = words ?? [];
  if (operator !== '==' && operator !== '!=') {
    scanner.fail(`"${name}" is a word: only == and != apply`, `write: ${name} == ${known[0]}`, operatorAt);
  }
  const word = text.replace(/^(["'])(.*)\1$/, '$2').trim();
  if (!known.includes(word)) scanner.fail(`unknown verdict "${word}"`, suggest(word, known));
  return word;
}
