import { Chalk, type ChalkInstance } from 'chalk';
import type { Calibration, CalibrationLevel } from '../bench/doctor/calibrate.ts';
import type { Check, CheckStatus } from '../bench/doctor/checks.ts';
import { DASH, formatCount, formatShare, formatTimeLimit, formatValue } from '../model/format.ts';
import { displayWidth, oneLine, wrap } from '../report/text-width.ts';
import type { ColorLevel } from './terminal.ts';

/** The properties of the terminal. */
interface DoctorViewOptions {
  width: number;
  color: ColorLevel;
  /** ASCII characters only. Default: false. */
  ascii?: boolean;
}

const MIN_WIDTH = 50;

/** The checks, for a terminal. */
export function checksView(checks: readonly Check[], options: DoctorViewOptions): string {
  const chalk = new Chalk({ level: options.color });
  const signs = options.ascii
    ? { ok: 'ok  ', warn: 'warn', fail: 'FAIL' }
    : { ok: '✔', warn: '▲', fail: '✘' };
  const paint: Record<CheckStatus, ChalkInstance> = {
    ok: chalk.green,
    warn: chalk.yellow,
    fail: chalk.red.bold,
  };
  const nameWidth = Math.max(...checks.map(({ name }) => name.length)) + 2;
  const indent = signs.ok.length + 1 + nameWidth;
  const room = Math.max(MIN_WIDTH, options.width) - indent;
  const lines = checks.flatMap(({ name, status, what, why, remedy }) => {
    const head = `${paint[status](signs[status])} ${chalk.bold(name.padEnd(nameWidth))}`;
    const [first = '', ...more] = wrap(oneLine(what), room);
    const below = [
      ...more,
      ...(why === undefined ? [] : wrap(why, room).map((line) => chalk.dim(line))),
      ...(remedy === undefined
        ? []
        : wrap(remedy, room - 2).map((line, i) => `${i === 0 ? '→ ' : '  '}${line}`)),
    ];
    return [`${head}${first}`, ...below.map((line) => `${' '.repeat(indent)}${line}`)];
  });
  return spelled(`${[...lines, '', chalk.dim(conclusion(checks))].join('\n')}\n`, options.ascii);
}

function conclusion(checks: readonly Check[]): string {
  const count = (status: CheckStatus) => checks.filter((check) => check.status === status).length;
  const [failed, warned] = [count('fail'), count('warn')];
  if (failed > 0) return `not fit to measure: ${failed} of ${checks.length} checks failed`;
  return warned > 0 ? `fit to measure, with ${warned} warning${warned === 1 ? '' : 's'}` : 'fit to measure';
}

const COLUMNS: readonly { title: string; cell(level: CalibrationLevel): string }[] = [
  { title: 'streams', cell: ({ streams }) => formatCount(streams) },
  { title: 'events/s', cell: ({ eventsPerSecond }) => formatCount(eventsPerSecond) },
  { title: 'p50', cell: ({ lagMs }) => formatValue(lagMs?.p50, 'ms') },
  { title: 'p99', cell: ({ lagMs }) => formatValue(lagMs?.p99, 'ms') },
  { title: 'max', cell: ({ lagMs }) => formatValue(lagMs?.max, 'ms') },
  {
    title: 'utilization',
    cell: ({ lagMs, utilization }) => (lagMs === null ? DASH : formatShare(utilization)),
  },
];

/** The lag of the timestamps at each level, and the highest level that this machine measures accurately. */
export function calibrationView(calibration: Calibration, options: DoctorViewOptions): string {
  const { levels, accurateStreams, skipped } = calibration;
  const chalk = new Chalk({ level: options.color });
  const width = Math.max(MIN_WIDTH, options.width);
  const rows = levels.map((level) => COLUMNS.map(({ cell }) => cell(level)));
  const widths = COLUMNS.map(({ title }, i) =>
    Math.max(title.length, ...rows.map((row) => displayWidth(row[i]!))),
  );
  const line = (cells: readonly string[]) => cells.map((cell, i) => cell.padStart(widths[i]!)).join('  ');
  const title = 'Lag: from the server’s write to the client’s timestamp';
  const text = [
    ...wrap(title, width).map((part) => chalk.bold(part)),
    chalk.dim(line(COLUMNS.map(({ title }) => title))),
    ...levels.flatMap((level, i) => [
      `${level.accurate ? line(rows[i]!) : chalk.yellow(line(rows[i]!))}`,
      ...(level.problem === undefined ? [] : wrap(`  ${oneLine(level.problem)}`, width)),
    ]),
    '',
    ...wrap(summary(calibration), width).map((part) =>
      accurateStreams === null ? chalk.red(part) : chalk.green(part),
    ),
    ...(skipped.length === 0 ? [] : wrap(`Skipped: ${skipped.map(formatCount).join(', ')} streams.`, width)),
  ];
  return spelled(`${text.join('\n')}\n`, options.ascii);
}

function summary({ levels, ratePerSecond, limitMs, accurateStreams }: Calibration): string {
  if (accurateStreams !== null) {
    const load = `${formatCount(accurateStreams)} streams × ${ratePerSecond} events/s`;
    return `This machine is accurate up to ${load} (p99 under ${formatTimeLimit(limitMs)}).`;
  }
  return levels.every(({ lagMs }) => lagMs === null)
    ? 'No load could be measured.'
    : `No tested load has a p99 under ${formatTimeLimit(limitMs)}: this machine does not measure accurately now.`;
}

const SPELLING: Readonly<Record<string, string>> = {
  '→': '>',
  '×': 'x',
  '’': "'",
  '\u202f': ' ',
  µ: 'u',
  [DASH]: '-',
};

function spelled(text: string, ascii = false): string {
  return ascii ? text.replaceAll(/[→×’µ—\u202f]/g, (char) => SPELLING[char]!) : text;
}
