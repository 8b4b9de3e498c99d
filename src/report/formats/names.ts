/**
 * The names of the formats, apart from their code: the command line lists them in its help without loading a single
 * one. `index.ts` has a reporter for each.
 */
export const REPORTER_NAMES = [
  'json',
  'markdown',
  'csv',
  'junit',
  'annotations',
  'bmf',
  'benchmark-action',
  'prometheus',
  'hgrm',
  'benchmark-report',
] as const;

/** Name of a format that only needs the report. */
export type ReporterName = (typeof REPORTER_NAMES)[number];

/** Every format of `report`: also the tables of a terminal, and the page, which needs the records of the run. */
export const FORMAT_NAMES: readonly string[] = ['terminal', ...REPORTER_NAMES, 'html'];
