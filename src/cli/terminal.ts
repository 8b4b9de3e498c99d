/** Color levels as in chalk: none, 16 colors, 256 colors, true color. */
export type ColorLevel = 0 | 1 | 2 | 3;

/** What decides whether to use color. */
interface ColorFacts {
  env: Readonly<Record<string, string | undefined>>;
  isTTY: boolean;
  /** `--no-color` or `--color` was given. */
  flag?: boolean;
}

/**
 * The color level. Precedence: the flag, `NO_COLOR` (any value except the empty string), `FORCE_COLOR`. Without them,
 * color is used on a terminal that is not `dumb`, and neither in CI logs nor in pipes.
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

/** The width for tables: that of the terminal, else `COLUMNS`, else 120. */
export function terminalWidth(
  stream: { columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): number {
  const stated = Number(env.COLUMNS);
  // A terminal of unknown size reports 0.
  return stream.columns || (Number.isInteger(stated) && stated > 0 ? stated : 120);
}

/** True if a line can be redrawn: on a terminal that is not `dumb`, outside CI. */
export function canRedraw({ env, isTTY }: ColorFacts): boolean {
  return isTTY && env.TERM !== 'dumb' && !env.CI;
}
