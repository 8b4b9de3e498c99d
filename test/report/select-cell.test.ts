import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/model/errors.ts';
import type { Report } from '../../src/model/report.ts';
import { selectCell } from '../../src/report/select-cell.ts';
import { cellName } from '../../src/report/wording/notes.ts';
import { gatedReport } from './reports.ts';

const report = gatedReport({
  targets: ['flash', 'flash-2'],
  prompts: ['short', 'long'],
  concurrency: [1, 16],
  modes: ['streaming', 'non-streaming'],
});
const numberOf = (wanted: string) => report.cells.indexOf(selectCell(report, wanted)) + 1;

function refusal(wanted: string, of: Pick<Report, 'cells'> = report): string {
  try {
    selectCell(of, wanted);
  } catch (error) {
    if (error instanceof UserError && error.code === 'usage') return error.message;
  }
  throw new Error('it was not refused');
}

describe('a cell is selected', () => {
  test('by its number and by its name', () => {
    for (const [index, cell] of report.cells.entries()) {
      expect(numberOf(String(index + 1))).toBe(index + 1);
      expect(numberOf(cellName(cell))).toBe(index + 1);
    }
  });

  test('by parts of its name, without regard to case and order', () => {
    expect(cellName(selectCell(report, 'streaming, FLASH, long, 16 streams'))).toBe(
      'flash · long · 16 streams · streaming',
    );
  });
});

describe('the list of cells is shown', () => {
  test('if the name is unknown', () => {
    const text = refusal('flsh');
    expect(text).toContain('--cell: no cell is named "flsh"');
    for (const [index, cell] of report.cells.entries())
      expect(text).toContain(`${index + 1}: ${cellName(cell)}`);
  });

  test('if the number is too large, or 0', () => {
    expect(refusal('17')).toContain('no cell is named "17"');
    expect(refusal('0')).toContain('no cell is named "0"');
  });

  test('of those that fit, if the name is ambiguous', () => {
    const text = refusal('flash, long');
    expect(text).toContain('4 cells are named "flash, long"');
    expect(text.match(/^\d+: flash · long/gm)).toHaveLength(4);
    expect(text).not.toContain('flash-2');
  });

  test('of the first 20 cells', () => {
    const cells = [...report.cells, ...report.cells];
    expect(refusal('x', { cells })).toContain('and 12 more');
  });
});
