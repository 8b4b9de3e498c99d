/** What the terminal can show. */

/** Levels of colour as chalk counts them: none, 16, 256, all. */
export type ColorLevel = 0 | 1 | 2 | 3;

/** What a decision about colour depends on. */
export interface ColorFacts {
  env: Readonly<Record<string, string | undefined>>;
  isTTY: boolean;
  /** `--no-color` or `--color` was given. */
  flag?: boolean;
}

/**
 * How much colour to use. A flag decides, then `NO_COLOR` (any value but an empty one), then `FORCE_COLOR`; without
 * them there is colour on a terminal that is not `dumb`, and none in CI logs or pipes.
 */
export function colorLevel({ env, isTTY, flag }: ColorFacts): ColorLevel {
  if (flag === false) return 0;
  if (flag !== true) {
    if (env.NO_COLOR) return 0;
    const force = env.FORCE_COLOR;
    if (force === '0' || force === 'false') return 0;
    if (force === undefined || force === '') {
      if (!isTTY || env.TERM === 'dumb' || env.CI) return 0;
    } else if (force === '1' || force === '2' || force === '3') {
      return Number(force) as ColorLevel;
    }
  }
  if (env.COLORTERM === 'truecolor' || env.COLORTERM === '24bit') return 3;
  return env.TERM?.includes('256') ? 2 : 1;
}

/** Columns to lay a table out for: the terminal's, `COLUMNS`, or 120 where nothing says. */
export function terminalWidth(
  stream: { columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): number {
  const stated = Number(env.COLUMNS);
  // A terminal that does not know its size says 0.
  return stream.columns || (Number.isInteger(stated) && stated > 0 ? stated : 120);
}

/** True where a line can be drawn over the one before: a terminal that is not `dumb`, and no log of CI. */
export function canRedraw({ env, isTTY }: ColorFacts): boolean {
  return isTTY && env.TERM !== 'dumb' && !env.CI;
}
