import { metric } from '../../metrics/definitions.ts';
import { createDistribution } from '../../metrics/distribution.ts';
import { latenessOf } from '../../metrics/lateness.ts';
import { CLIENT_LIMITS, clientReport } from '../../metrics/load-report.ts';
import type { Objective } from '../../metrics/objective-check.ts';
import { createStampTimes, type StampTimes } from '../../metrics/stamps.ts';
import { cellKey, cellOf, roundPartKey } from '../../model/cells.ts';
import { formatNumber } from '../../model/format.ts';
import type { BlockUtilization } from '../../model/load-report.ts';
import type { Cell } from '../../model/plan.ts';
import type { OutcomeKind, RequestRecord } from '../../model/record.ts';
import type { MetricSummary } from '../../model/report.ts';
import type { SweepSettings, SweepSubject } from '../../model/sweep.ts';
import { type Judgement, judge, type MeasuredValues } from './judge.ts';
import { judgedPart, levelState } from './measurement.ts';
import type { LevelState } from './search.ts';
import { appliesTo, parseSlos, type Slo, type SloContext } from './slo.ts';

/**
 * What the records of a sweep show about its levels. The live sweep takes its decisions from it, and a rebuilt report its result,
 * so both are equal.
 */
export interface SweepEvidence {
  /** The objectives, with the implied one. */
  readonly slos: readonly Slo[];
  add(record: RequestRecord): void;
  /**
   * The levels of a subject, lowest first. `cells`: those that the blocks of `loads` refer to. A measurement whose client load is
   * not known does not count.
   */
  levels(subject: SweepSubject, cells: readonly Cell[], loads: readonly BlockUtilization[]): LevelEvidence[];
}

/** What is known about one level of a subject. */
export interface LevelEvidence {
  cell: Cell;
  state: LevelState;
  judgements: Judgement[];
  /** Judged requests. */
  requests: number;
  /** Number of the next measurement. */
  nextRound: number;
  /** Why the last measurement that does not count does not; absent where all count. */
  invalidReason?: string;
  /** Median time of a successful request, in ms; absent without one. */
  requestMs?: number;
}

/** No records yet. */
export function createSweepEvidence(
  settings: SweepSettings,
  { objectives, stallMs }: { objectives: readonly Objective[]; stallMs: number },
): SweepEvidence {
  const slos = parseSlos(settings.slo);
  const context: SloContext = { objectives, stallMs };
  const levels = new Map<string, LevelRecords>();
  return {
    slos,
    add(record) {
      if (record.length !== undefined) return;
      const key = cellKey(record);
      let level = levels.get(key);
      if (level === undefined) {
        level = { cell: cellOf(record), stamps: createStampTimes(), measurements: new Map() };
        levels.set(key, level);
      }
      if (record.outcome.kind === 'ok') level.stamps.add(record);
      const round = roundPartKey(record);
      const measurement = level.measurements.get(round) ?? {
        round: record.round,
        part: record.part,
        requests: [],
      };
      level.measurements.set(round, measurement);
      // Requests that the user cancelled say nothing about the service.
      if (record.outcome.kind !== 'cancelled')
        measurement.requests.push(judgedRequest(record, slos, context));
    },
    levels(subject, cells, loads) {
      const keys = cells.map(cellKey);
      return [...levels.entries()]
        .filter(([, { cell }]) => isSubject(cell, subject))
        .map(([key, level]) => {
          const own = loads.filter((load) => load.cell === keys.indexOf(key));
          return evidenceOf(
            level,
            own,
            settings,
            slos.filter((slo) => appliesTo(slo, subject)),
            slos,
          );
        })
        .sort((a, b) => a.state.level - b.state.level);
    },
  };
}

/** The load level of a cell, in the direction of the sweep. */
export function levelAt({ concurrency, rate }: Pick<Cell, 'concurrency' | 'rate'>): number {
  return rate ?? concurrency;
}

/** True for a cell of the subject. */
export function isSubject(cell: SweepSubject, { target, prompt, mode }: SweepSubject): boolean {
  return cell.target === target && cell.prompt === prompt && cell.mode === mode;
}

/** Failures that the server reports: a client that is late cannot cause them. */
const SERVER_FAILURES: readonly OutcomeKind[] = ['http_error', 'rate_limited', 'inband_error'];

/** What is kept of a request. */
interface JudgedRequest {
  startedMs: number;
  /** Of a successful request. */
  totalMs?: number;
  lateMs: number;
  inFlight: number;
  /** The server reported that it failed. */
  refused: boolean;
  /** By objective. */
  values: readonly (readonly number[])[];
}

interface Measurement {
  round: number;
  part?: number;
  requests: JudgedRequest[];
}

interface LevelRecords {
  cell: Cell;
  stamps: StampTimes;
  measurements: Map<number, Measurement>;
}

function judgedRequest(record: RequestRecord, slos: readonly Slo[], context: SloContext): JudgedRequest {
  const { marks, inFlight = 0, outcome } = record;
  const { started, scheduled = started, end } = marks;
  return {
    startedMs: started,
    totalMs: outcome.kind === 'ok' && end !== undefined ? end - started : undefined,
    lateMs: started - scheduled,
    inFlight,
    refused: SERVER_FAILURES.includes(outcome.kind),
    values: slos.map((slo) =>
      outcome.kind === 'cut' ? valuesOfCut(record, slo, context) : slo.read(record, context),
    ),
  };
}

/** A measurement that counts, and by how many ms the client may have taken the stamps of each objective's metric too late. */
interface ValidMeasurement {
  requests: readonly JudgedRequest[];
  lateMs: readonly number[];
}

/**
 * A request that was cut when the grace of its measurement was over took at least as long as it did until then. Without it, the
 * slowest requests would be missing, and the level would look better than it is.
 */
function valuesOfCut(record: RequestRecord, slo: Slo, context: SloContext): readonly number[] {
  const { sent = record.marks.started, end } = record.marks;
  const known = slo.read({ ...record, outcome: { kind: 'ok' } }, context);
  return known.length > 0 || slo.unit !== 'ms' || end === undefined ? known : [end - sent];
}

function evidenceOf(
  { cell, stamps, measurements }: LevelRecords,
  loads: readonly BlockUtilization[],
  settings: SweepSettings,
  applying: readonly Slo[],
  slos: readonly Slo[],
): LevelEvidence {
  const level = levelAt(cell);
  const all = [...measurements.values()];
  const valid: ValidMeasurement[] = [];
  let invalid = 0;
  let overloaded = 0;
  let invalidReason: string | undefined;
  for (const measurement of all) {
    const inOrder = measurement.requests.toSorted((a, b) => a.startedMs - b.startedMs);
    const requests = judgedPart(settings, level, inOrder);
    const load = loads.find(({ round, part }) => round === measurement.round && part === measurement.part);
    if (requests.length === 0 || load === undefined || load.threads.length === 0) continue;
    const client = clientState(load, requests, cell, stamps, slos);
    if (client.limit === undefined) valid.push({ requests, lateMs: client.lateMs });
    else {
      invalid += 1;
      if (client.isOverload) overloaded += 1;
      invalidReason = client.limit;
    }
  }
  const judgements = applying.map((slo) => judgeWithLateness(slo, slos.indexOf(slo), valid));
  const totals = all.flatMap(({ requests }) => requests.flatMap(({ totalMs }) => totalMs ?? []));
  return {
    cell,
    state: levelState(level, judgements, { valid: valid.length, invalid, overloaded }),
    judgements,
    requests: valid.reduce((sum, { requests }) => sum + requests.length, 0),
    nextRound: 1 + Math.max(...all.map(({ round }) => round)),
    invalidReason,
    requestMs: median(totals),
  };
}

/**
 * A client that takes stamps late makes times longer. So a level that meets a limit meets it without the lateness too, and a level
 * counts as broken only if it is broken with the lateness subtracted.
 */
function judgeWithLateness(slo: Slo, index: number, measurements: readonly ValidMeasurement[]): Judgement {
  const values = (subtract: boolean) =>
    measurements.map(({ requests, lateMs }): MeasuredValues => {
      const late = subtract ? (lateMs[index] ?? 0) : 0;
      return requests.map(({ values: own }) =>
        late === 0 ? (own[index] ?? []) : (own[index] ?? []).map((value) => value - late),
      );
    });
  const judgement = judge(slo, values(false));
  const isLate = slo.unit === 'ms' && measurements.some(({ lateMs }) => (lateMs[index] ?? 0) > 0);
  if (judgement.verdict !== 'broken' || !isLate) return judgement;
  return judge(slo, values(true)).verdict === 'broken' ? judgement : { ...judgement, verdict: 'unclear' };
}

/** A closed loop with fewer of its streams open, in the median, did not produce its load. */
const LEAST_OPEN = 0.75;

// An objective is a fixed limit: lateness that is small for the figure may still be what breaks it.
const UNNOTICED_MS = 10;

/** Whether the client produced the load of a measurement. */
interface ClientState {
  /** Why the measurement says nothing about the server; absent where it does. */
  limit?: string;
  /** The load itself was too high for the client; otherwise something else disturbed it. */
  isOverload: boolean;
  /** By objective; 0 where the client was not late enough to matter. */
  lateMs: number[];
}

function clientState(
  load: BlockUtilization,
  requests: readonly JudgedRequest[],
  cell: Cell,
  stamps: StampTimes,
  slos: readonly Slo[],
): ClientState {
  const late = createDistribution('ms');
  for (const { lateMs } of requests) late.add(Math.max(0, lateMs));
  const latenessP99Ms = late.summary()?.p99 ?? null;
  const figures = { latenessP99Ms, newConnectionShare: null, reads: 0, events: 0 };
  const report = clientReport([load.threads], figures);
  const open = median(requests.map(({ inFlight }) => inFlight)) ?? 0;
  const isOpen = cell.rate !== undefined || open >= LEAST_OPEN * cell.concurrency;
  const limit = isRefused(requests, slos)
    ? undefined
    : report?.verdict === 'saturated'
      ? report.reason
      : isOpen
        ? undefined
        : `only ${formatNumber(open)} of ${cell.concurrency} streams were open at a time`;
  const metrics: Record<string, MetricSummary | null> = {};
  for (const [index, { kind, unit, family }] of slos.entries()) {
    if (kind === 'share') continue;
    const distribution = createDistribution(unit);
    for (const { values } of requests) for (const value of values[index] ?? []) distribution.add(value);
    metrics[family] = distribution.summary();
  }
  const known = latenessOf({ blocks: [load], stamps, metrics });
  const lateMs = slos.map(({ family }) => {
    const own = known[family];
    if (own === undefined) return 0;
    const isSmall = own.verdict === 'ok' && (own.lateMs < UNNOTICED_MS || metric(family).overSpan);
    return isSmall ? 0 : own.lateMs;
  });
  const isOverload = !isOpen || (report?.utilization ?? 0) >= CLIENT_LIMITS.utilization.saturated;
  return { limit, isOverload, lateMs };
}

/** True where the failures that the server reported break an objective by themselves. */
function isRefused(requests: readonly JudgedRequest[], slos: readonly Slo[]): boolean {
  const counts = requests.map(({ refused }) => [refused ? 1 : 0]);
  return slos.some(
    (slo) => slo.threshold.quantity.name === 'errors.rate' && judge(slo, [counts]).verdict === 'broken',
  );
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
