/** Sizes as people write them: `16MB`, `64KiB`, `1500B`. Inside the program they are bytes. */

/** What a size looks like, as the source of a regular expression. */
export const SIZE_PATTERN = '^\\d+(?:\\.\\d+)?(?:B|kB|KB|MB|GB|KiB|MiB|GiB)$';

const SHAPE = new RegExp(SIZE_PATTERN);
const UNIT_BYTES: Readonly<Record<string, number>> = {
  ...{ B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9 },
  ...{ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
};

/** Bytes of a size such as `16MB` or `64KiB`; undefined when the text is none. */
export function parseSize(text: string): number | undefined {
  if (!SHAPE.test(text)) return undefined;
  const unit = text.replace(/^[\d.]+/, '');
  return Math.round(Number.parseFloat(text) * UNIT_BYTES[unit]!);
}
