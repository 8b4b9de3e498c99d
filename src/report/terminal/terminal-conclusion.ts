import type { ChalkInstance } from 'chalk';
import type { Conclusion, ConclusionLine } from '../../model/conclusion.ts';
import { clip, displayWidth, padEnd, padStart, wrap } from '../text-width.ts';

/** The conclusion of a run on a terminal: a column for each side, or sentences where columns do not fit. */

const HEADING = 'Conclusion';
const GUTTER = '  ';
/** Narrower, the text after the values breaks into too many lines. */
const LEAST_TEXT = 24;
const LONGEST_LABEL = 28;
const LONGEST_COLUMN = 24;

/** The lines, at most `width` columns wide. */
export function terminalConclusion(
  { sides, lines }: Conclusion,
  width: number,
  chalk: ChalkInstance,
): string[] {
  if (lines.length === 0) return [];
  const labels = Math.min(
    LONGEST_LABEL,
    Math.max(HEADING.length, ...lines.map(({ label }) => displayWidth(label))),
  );
  // Readers distinguish sides by their names: columns are narrowed only as far as the names stay different.
  const names = sides.map((side) => clip(side, LONGEST_COLUMN));
  const shown = new Set(names).size === sides.length ? names : sides;
  const columns = shown.map((side, at) =>
    Math.max(displayWidth(side), ...lines.map(({ values }) => displayWidth(values[at] ?? ''))),
  );
  const before = labels + columns.reduce((sum, column) => sum + GUTTER.length + column, 0) + GUTTER.length;
  if (before + LEAST_TEXT > width && sides.length > 1) return asSentences({ sides, lines }, width, chalk);
  const header = shown.map((side, at) => GUTTER + padStart(side, columns[at] ?? 0)).join('');
  return [
    `${chalk.bold.cyan(padEnd(HEADING, labels))}${chalk.bold(header)}`.trimEnd(),
    ...lines.flatMap((line) => {
      const label = padEnd(clip(line.label, labels), labels);
      const values = line.values.map((value, at) => GUTTER + padStart(value, columns[at] ?? 0)).join('');
      const isAligned = line.values.length > 0;
      const indent = isAligned ? before : labels + GUTTER.length;
      const [first = '', ...more] =
        line.text === '' ? [] : wrap(line.text, Math.max(LEAST_TEXT, width - indent));
      const paint = paintOf(line, chalk);
      return [
        `${label}${isAligned ? paint(values) : ''}${first === '' ? '' : GUTTER + paint(first)}`,
        ...more.map((text) => ' '.repeat(indent) + paint(text)),
      ];
    }),
  ];
}

function asSentences({ sides, lines }: Conclusion, width: number, chalk: ChalkInstance): string[] {
  return [
    chalk.bold.cyan(HEADING),
    ...lines.flatMap((line) => {
      const values = line.values.map((value, at) => `${sides[at]} ${value}`).join(', ');
      const text = [values, line.text].filter((part) => part !== '').join('; ');
      return wrap(`${line.label}: ${text}`, width - GUTTER.length).map(
        (part, at) => `${at === 0 ? '' : GUTTER}${paintOf(line, chalk)(part)}`,
      );
    }),
  ];
}

function paintOf({ outcome }: ConclusionLine, chalk: ChalkInstance): (text: string) => string {
  switch (outcome) {
    case 'good':
      return (text) => chalk.green(text);
    case 'bad':
      return (text) => chalk.red(text);
    case 'unknown':
      return (text) => chalk.yellow(text);
    case 'neutral':
      return (text) => chalk.bold(text);
    default:
      return outcome satisfies never;
  }
}
