/**
 * The search for the largest load level that meets all objectives, as a pure function: given what is known about the levels so
 * far, it says which level to measure next. It assumes that a higher load is not better for the objectives.
 *
 * 1. Coarse steps: the level doubles until one looks broken (or halves, where the first one does).
 * 2. Bisection between the highest level that looks met and the lowest that looks broken. Up to here point estimates lead the way,
 *    and a level that was judged wrongly is corrected later.
 * 3. Repeats at the edge: both levels of the bracket are measured again, in turn, until their intervals decide or the repeats are
 *    used up. If a repeat changes the picture, the search goes back to step 2.
 * 4. Where a level stays unclear, the nearest levels that can be decided are searched on both sides. The result is then a range.
 */

/** What is known about one level. */
export interface LevelState {
  level: number;
  /** By confidence intervals. */
  verdict: 'met' | 'broken' | 'unclear';
  /** By point estimates. */
  leaning: 'met' | 'broken';
  /** Measurements that count. */
  valid: number;
  /** Measurements in which the client could not produce the load, or was disturbed. */
  invalid: number;
  /** Of these, those in which the load itself was too high for the client. */
  overloaded: number;
}

/** The settings of a search. */
export interface SearchSettings {
  start: number;
  /** The lowest level, and the highest. */
  min: number;
  max: number;
  /** Levels are whole numbers. */
  whole: boolean;
  /** Levels this close, as a share of the lower one, are not separated further. */
  precision: number;
  /** Measurements that a level at the edge needs, and the most of one level. */
  leastMeasurements: number;
  repeats: number;
}

/** What is known about the edge: the highest level that meets all objectives, and the lowest above it that does not. */
export interface Edge {
  met: number | null;
  broken: number | null;
  /** The upper end is a level that the client could not produce. */
  client: number | null;
  /** The ends are as close as the precision requires. */
  decided: boolean;
}

/** The next step of a search. */
export type SearchStep = { kind: 'measure'; level: number } | { kind: 'done'; edge: Edge };

/** So many measurements show that the load is too high for the client. */
const OVERLOADED_MEASUREMENTS = 3;

/** `gray`: measured as often as allowed, and still unclear. */
type Settled = 'met' | 'broken' | 'client' | 'gray' | 'open';

function settled(
  { verdict, valid, invalid, overloaded }: LevelState,
  { leastMeasurements, repeats }: SearchSettings,
): Settled {
  // A client that is disturbed by another process at a low load is tried more often.
  const isClient = overloaded >= OVERLOADED_MEASUREMENTS || invalid >= repeats;
  if (isClient && invalid > valid) return 'client';
  if (verdict !== 'unclear' && valid >= leastMeasurements) return verdict;
  return valid >= repeats || valid + invalid >= 2 * repeats ? 'gray' : 'open';
}

/** The next level to measure, or the end of the search. `levels` in any order. */
export function nextStep(levels: readonly LevelState[], settings: SearchSettings): SearchStep {
  const { start, min, max } = settings;
  const known = levels
    .map((state) => ({ ...state, settled: settled(state, settings) }))
    .sort((a, b) => a.level - b.level);
  const unmeasured = known.find((state) => state.valid === 0 && state.settled === 'open');
  if (unmeasured !== undefined) return { kind: 'measure', level: unmeasured.level };
  if (known.length === 0) return { kind: 'measure', level: start };

  const isHigh = (state: (typeof known)[0]) => state.settled === 'client' || state.leaning === 'broken';
  const high = known.find(isHigh);
  const low = known.findLast((state) => !isHigh(state) && (high === undefined || state.level < high.level));
  const wide = (a: number, b: number) => isWide(a, b, settings);

  if (high === undefined && low !== undefined && low.level < max)
    return { kind: 'measure', level: Math.min(max, 2 * low.level) };
  if (low === undefined && high !== undefined && high.level > min)
    return { kind: 'measure', level: Math.max(min, halved(high.level, settings)) };
  if (low !== undefined && high !== undefined && wide(low.level, high.level))
    return { kind: 'measure', level: middle(low.level, high.level, settings) };
  // The less measured one first: so the two are measured in turn, under the same conditions.
  const [open] = [low, high]
    .filter((state) => state !== undefined && state.settled === 'open')
    .sort((a, b) => a!.valid + a!.invalid - (b!.valid + b!.invalid));
  if (open !== undefined) return { kind: 'measure', level: open.level };

  const level = lowerTarget(known, settings) ?? upperTarget(known, settings);
  return level === undefined ? { kind: 'done', edge: edgeOf(levels, settings) } : { kind: 'measure', level };
}

type KnownLevel = LevelState & { settled: Settled };

/** A level to measure in order to raise the highest level that is shown to be met; undefined where nothing is left to do. */
function lowerTarget(known: readonly KnownLevel[], settings: SearchSettings): number | undefined {
  const met = known.findLast((state) => state.settled === 'met');
  const gray = known.find((state) => state.settled === 'gray' && state.level > (met?.level ?? 0));
  const ceiling = known.find(({ settled }) => settled === 'broken' || settled === 'client');
  if (gray === undefined || (ceiling !== undefined && gray.level > ceiling.level)) return undefined;
  const between = known.filter(
    ({ level, settled }) => settled === 'open' && level < gray.level && level > (met?.level ?? 0),
  );
  if (met === undefined)
    return between.at(-1)?.level ?? (gray.level > settings.min ? halved(gray.level, settings) : undefined);
  if (!isWide(met.level, gray.level, settings)) return undefined;
  return nearest(between, met.level, gray.level, settings);
}

/** A level to measure in order to lower the lowest level that is shown to be broken. */
function upperTarget(known: readonly KnownLevel[], settings: SearchSettings): number | undefined {
  const broken = known.find(({ settled }) => settled === 'broken' || settled === 'client');
  const gray = known.findLast(
    ({ settled, level }) => settled === 'gray' && level < (broken?.level ?? Number.POSITIVE_INFINITY),
  );
  if (gray === undefined) return undefined;
  const between = known.filter(
    ({ level, settled }) =>
      settled === 'open' && level > gray.level && level < (broken?.level ?? Number.POSITIVE_INFINITY),
  );
  if (broken === undefined)
    return (
      between[0]?.level ?? (gray.level < settings.max ? Math.min(settings.max, 2 * gray.level) : undefined)
    );
  if (!isWide(gray.level, broken.level, settings)) return undefined;
  return nearest(between, gray.level, broken.level, settings);
}

function nearest(
  between: readonly KnownLevel[],
  low: number,
  high: number,
  settings: SearchSettings,
): number {
  const at = middle(low, high, settings);
  const distance = ({ level }: KnownLevel) => Math.abs(Math.log(level / at));
  return between.toSorted((a, b) => distance(a) - distance(b))[0]?.level ?? at;
}

/** What the measurements show about the edge, also before the search has ended. */
export function edgeOf(levels: readonly LevelState[], settings: SearchSettings): Edge {
  const known = levels
    .map((state) => ({ level: state.level, settled: settled(state, settings) }))
    .sort((a, b) => a.level - b.level);
  const broken = known.find((state) => state.settled === 'broken');
  const client = known.find((state) => state.settled === 'client');
  const met = known.findLast(
    (state) => state.settled === 'met' && state.level < (broken?.level ?? Number.POSITIVE_INFINITY),
  );
  const isClient = client !== undefined && client.level < (broken?.level ?? Number.POSITIVE_INFINITY);
  return {
    met: met?.level ?? null,
    broken: broken?.level ?? null,
    client: isClient ? client.level : null,
    decided: met !== undefined && broken !== undefined && !isWide(met.level, broken.level, settings),
  };
}

function isWide(low: number, high: number, { whole, precision }: SearchSettings): boolean {
  if (whole && high - low <= 1) return false;
  // 21 / 20 is slightly above 1.05 in floating point.
  return high / low > 1 + precision + 1e-9;
}

/** The geometric mean: a bracket from 8 to 16 is halved in its logarithm, as the precision is relative. */
function middle(low: number, high: number, settings: SearchSettings): number {
  const at = rounded(Math.sqrt(low * high), settings);
  return settings.whole ? Math.min(high - 1, Math.max(low + 1, at)) : at;
}

function halved(level: number, settings: SearchSettings): number {
  return Math.max(settings.min, settings.whole ? Math.floor(level / 2) : rounded(level / 2, settings));
}

/** Whole, or four significant digits. */
function rounded(level: number, { whole }: SearchSettings): number {
  return whole ? Math.round(level) : Number(level.toPrecision(4));
}
