import { readFileSync } from 'node:fs';
import type { Override } from './overrides.ts';
import { yamlSource } from './scenario-source.ts';
import { SWEEP_CHOOSES } from './schema/load.ts';

/** The changes that make a sweep of a scenario. */

/** The flags of `sweep`. */
export interface SweepFlags {
  slo: readonly string[];
  by?: string;
  start?: number;
  max?: number;
  /** A share: 0.05 is 5 %. */
  precision?: number;
  repeats?: number;
  requests?: number;
  duration?: string;
  budget?: string;
}

/** What a scenario file says about sweeps, read before it is checked. */
export interface SweepFacts {
  /** It has `load.sweep`. */
  hasSweep: boolean;
  /** Its thresholds, if it has no sweep: they are no gates of one. */
  thresholds: number;
  /** Its warm-up is a time: a sweep is warmed up by a number of requests. */
  hasTimedWarmup: boolean;
}

/** The facts where there is no file. */
export const NO_FACTS: SweepFacts = { hasSweep: false, thresholds: 0, hasTimedWarmup: false };

/** Reads a scenario file. A file that cannot be read or parsed has no sweep: loading it reports the problem. */
export function sweepFacts(file: string): SweepFacts {
  try {
    const { load, thresholds } = yamlSource(readFileSync(file, 'utf8'), file).value as {
      load?: { sweep?: unknown; warmup?: unknown };
      thresholds?: unknown;
    };
    const hasSweep = load?.sweep !== undefined;
    return {
      hasSweep,
      thresholds: hasSweep || !Array.isArray(thresholds) ? 0 : thresholds.length,
      hasTimedWarmup: typeof load?.warmup === 'string',
    };
  } catch {
    return NO_FACTS;
  }
}

/** The overrides of the flags. In a scenario without a sweep they replace its load levels and its thresholds. */
export function sweepOverrides(flags: SweepFlags, { hasSweep, hasTimedWarmup }: SweepFacts): Override[] {
  const overrides: Override[] = [];
  if (!hasSweep) {
    const replaced = [
      ...SWEEP_CHOOSES,
      ...(flags.by === 'rate' ? [] : ['arrivals', 'burstiness', 'maxConcurrency']),
      ...(hasTimedWarmup ? ['warmup'] : []),
    ];
    for (const path of [...replaced.map((key) => `load.${key}`), 'thresholds'])
      overrides.push({ path, value: undefined, from: 'sweep' });
  }
  const given: [keyof SweepFlags, unknown, string][] = [
    ['slo', flags.slo.length === 0 ? undefined : flags.slo, '--slo'],
    ['by', flags.by, '--by'],
    ['start', flags.start, '--start'],
    ['max', flags.max, '--max'],
    ['precision', flags.precision && `${Number((flags.precision * 100).toFixed(6))}%`, '--precision'],
    ['repeats', flags.repeats, '--repeats'],
    ['requests', flags.requests, '--requests'],
    ['duration', flags.duration, '--duration'],
    ['budget', flags.budget, '--budget'],
  ];
  for (const [key, value, from] of given)
    if (value !== undefined) overrides.push({ path: `load.sweep.${key}`, value, from });
  return overrides;
}
