import { formatCount, formatShare, formatValue } from '../../model/format.ts';
import type { CacheGroup, CellReport, Report, UniqueInfo } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { cellName } from './notes.ts';

/** What a report says of prefix caches: whether prompts were unique, and how much came out of a cache. */

/** From this share on, figures are those of a cache as much as of the model. */
const MUCH_CACHED = 0.1;

const COMMON =
  ' What stands before the nonce is common to all requests: tool definitions, or the beginning of a body template, which can have {{nonce}} there.';

/** How requests were kept from sharing a prefix, in sentences. */
export function uniqueLines({ prefixChars, same }: UniqueInfo): string[] {
  const asked = same.filter((one) => one.asked);
  const fixed = same.filter((one) => !one.asked);
  const lines: string[] = [];
  if (same.length === 0) {
    lines.push(
      `Unique prompts: each request has a nonce of its own (it makes a prompt ${prefixChars} characters longer), so that no prefix cache answers.`,
    );
  }
  if (asked.length > 0) {
    const which = names(asked.map(({ prompt }) => prompt));
    lines.push(`Not unique, as asked for (unique: false): all requests of prompt ${which} are the same.`);
  }
  for (const why of new Set(fixed.map((one) => one.why))) {
    const targets = names(fixed.filter((one) => one.why === why).map(({ target }) => target));
    lines.push(`Not unique: all requests to ${targets} are the same (${why}).`);
  }
  return lines;
}

function names(list: readonly string[]): string {
  return [...new Set(list)].map(oneLine).join(', ');
}

/** How requests were kept apart, and what came from caches where that is no surprise. */
export function cacheNotes(report: Report): string[] {
  const { unique } = report.run;
  return [
    ...(unique === undefined ? [] : uniqueLines(unique)),
    ...cached(report)
      .filter((cell) => !isSurprise(cell, report))
      .map((cell) => `${cellName(cell)}: ${shareWords(cell)}. ${groupWords(cell)}`),
  ];
}

/** A warning for each cell of which more than a tenth of the input came from a cache, without that having been asked for. */
export function cacheWarnings(report: Report): string[] {
  return cached(report)
    .filter((cell) => isSurprise(cell, report))
    .map((cell) => {
      const why = report.run.unique?.same.find(
        ({ target, prompt }) => target === cell.target && prompt === cell.prompt,
      )?.why;
      const though =
        report.run.unique === undefined
          ? ''
          : why === undefined
            ? ', though every prompt was unique'
            : ` (${why})`;
      return `${cellName(cell)}: ${shareWords(cell)}${though}. Times to the first token are partly those of the cache. ${groupWords(cell)}${why === undefined ? COMMON : ''}`;
    });
}

function cached({ cells }: Report): CellReport[] {
  return cells.filter(({ cache }) => cache != null && cache.cachedTokens > 0);
}

function isSurprise(cell: CellReport, { run }: Report): boolean {
  const asked = run.unique?.same.some(
    ({ target, prompt, asked }) => asked && target === cell.target && prompt === cell.prompt,
  );
  return !asked && cell.cache!.share > MUCH_CACHED;
}

function shareWords({ cache }: CellReport): string {
  const { share, cachedTokens, inputTokens } = cache!;
  return `${formatShare(share)} of the input tokens came from a cache (${formatCount(cachedTokens)} of ${formatCount(inputTokens)})`;
}

function groupWords({ cache }: CellReport): string {
  return `TTFT p50: ${groupFigure(cache!.hit, 'hit')}, ${groupFigure(cache!.miss, 'miss')}.`;
}

function groupFigure({ requests, metrics }: CacheGroup, one: 'hit' | 'miss'): string {
  const count = `${formatCount(requests)} ${requests === 1 ? one : one === 'hit' ? 'hits' : 'misses'}`;
  return requests === 0 ? `no ${one}` : `${formatValue(metrics.ttft?.p50, 'ms')} of ${count}`;
}
