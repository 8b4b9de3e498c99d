import type { Report } from '../../model/report.ts';
import { servingNotes } from '../serving-columns.ts';
import { behaviourNotes } from './behaviours.ts';
import { cacheNotes } from './cache.ts';
import { cutLines, markNotes, reachedLines, throughputNotes } from './load.ts';
import { machineNotes } from './machines.ts';
import { notes } from './notes.ts';
import { originNotes } from './origin.ts';
import { sessionNotes } from './sessions.ts';
import { traceNotes } from './traces.ts';
import { clientLines, floorLines, loadLines, serverLines } from './verdicts.ts';

/** The sentences below the tables of a report, in every format for people. */
export function footnotes(report: Report): string[] {
  return [
    ...markNotes(report),
    ...reachedLines(report),
    ...cutLines(report),
    ...throughputNotes(report),
    ...clientLines(report),
    ...loadLines(report),
    ...serverLines(report),
    ...servingNotes(report.cells),
    ...floorLines(report),
    ...traceNotes(report),
    ...behaviourNotes(report),
    ...cacheNotes(report),
    ...sessionNotes(report),
    ...machineNotes(report),
    ...notes(report),
    ...originNotes(report),
  ];
}
