import { lengthTest } from '../../src/analysis/streaming/length-test.ts';
import { type VerdictFigures, verdictFigures } from '../../src/analysis/streaming/stream-figures.ts';
import { VERDICT_KINDS, type VerdictContext } from '../../src/analysis/streaming/streaming-verdict.ts';
import { claimsFake, createVerdictCollector } from '../../src/analysis/streaming/verdict-collector.ts';
import { percentileOf } from '../../src/metrics/percentile.ts';
import type { VerdictKind } from '../../src/model/report.ts';
import type { Kind } from './generator.ts';
import { LENGTHS, type Measured } from './simulation.ts';

/** Judges what was measured of many services, and counts who was taken for what. */

/** What the judge is told beside the streams. */
export const KNOWLEDGE = ['streams alone', 'with a pair', 'with lengths', 'with both'] as const;
export type Knowledge = (typeof KNOWLEDGE)[number];

/** A row of a confusion matrix: streams of one kind by verdict. */
export interface Row {
  name: string;
  fake: boolean;
  tooShort?: true;
  counts: Record<Knowledge, Record<VerdictKind, number>>;
}

export function emptyRow({ name, fake, tooShort }: Omit<Kind, 'service'>): Row {
  const zeros = () =>
    Object.fromEntries(VERDICT_KINDS.map((kind) => [kind, 0])) as Record<VerdictKind, number>;
  return {
    name,
    fake,
    tooShort,
    counts: Object.fromEntries(KNOWLEDGE.map((one) => [one, zeros()])) as Row['counts'],
  };
}

/** Adds the verdicts on one service. */
export function count(row: Row, measured: Measured): void {
  const fold = createVerdictCollector();
  for (const record of measured.streams) fold.add(record);
  const totals = measured.whole
    .filter(({ outcome }) => outcome.kind === 'ok')
    .map(({ marks }) => marks.end! - marks.sent!)
    .sort((a, b) => a - b);
  const whole = totals.length === 0 ? undefined : { totalMs: percentileOf(totals, 0.5), n: totals.length };
  const [short, long] = LENGTHS.map((tokens) => figuresOf(measured.lengths.get(tokens) ?? []));
  const lengths = lengthTest(short!, long!);
  const contexts: Record<Knowledge, VerdictContext> = {
    'streams alone': {},
    'with a pair': { whole },
    'with lengths': { lengths },
    'with both': { whole, lengths },
  };
  for (const knowledge of KNOWLEDGE) {
    const { counts } = fold.result(contexts[knowledge]);
    for (const kind of VERDICT_KINDS) row.counts[knowledge][kind] += counts[kind];
  }
}

function figuresOf(records: Measured['streams']): VerdictFigures[] {
  return records
    .filter(({ outcome }) => outcome.kind === 'ok')
    .map(verdictFigures)
    .filter((figures) => figures !== null);
}

/** Shares over all streams of the real or of the fake kinds. */
export interface Shares {
  /** Called streaming or coarse: taken for a stream. */
  live: number;
  accused: number;
  inconclusive: number;
}

export function shares(rows: readonly Row[], fake: boolean, knowledge: Knowledge): Shares {
  const sums = { live: 0, accused: 0, inconclusive: 0 };
  for (const row of rows.filter((one) => one.fake === fake && (rows.length === 1 || !one.tooShort))) {
    for (const kind of VERDICT_KINDS) {
      const group = claimsFake(kind) ? 'accused' : kind === 'inconclusive' ? 'inconclusive' : 'live';
      sums[group] += row.counts[knowledge][kind];
    }
  }
  const all = sums.live + sums.accused + sums.inconclusive;
  return { live: sums.live / all, accused: sums.accused / all, inconclusive: sums.inconclusive / all };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** The shares of all kinds, as a table in markdown. */
export function summaryTable(rows: readonly Row[]): string {
  const lines = [
    '| what is known | real: streaming | real: accused | fake: found | fake: taken for a stream |',
    '| --- | ---: | ---: | ---: | ---: |',
  ];
  for (const knowledge of KNOWLEDGE) {
    const [real, fake] = [shares(rows, false, knowledge), shares(rows, true, knowledge)];
    lines.push(
      `| ${knowledge} | ${percent(real.live)} | ${percent(real.accused)} | ${percent(fake.accused)} | ${percent(fake.live)} |`,
    );
  }
  return lines.join('\n');
}

/** Every kind, with its share of streaming (or coarse), accused and inconclusive for each knowledge. */
export function kindTable(rows: readonly Row[]): string {
  const cell = (row: Row, knowledge: Knowledge) => {
    const { live, accused, inconclusive } = shares([row], row.fake, knowledge);
    return [live, accused, inconclusive].map((share) => (100 * share).toFixed(0)).join(' / ');
  };
  return [
    `| kind | ${KNOWLEDGE.join(' | ')} |`,
    `| --- | ${KNOWLEDGE.map(() => '---:').join(' | ')} |`,
    ...rows.map(
      (row) =>
        `| ${row.fake ? 'fake' : 'real'}: ${row.name} | ${KNOWLEDGE.map((one) => cell(row, one)).join(' | ')} |`,
    ),
  ].join('\n');
}
