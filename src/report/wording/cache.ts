import { formatCount, formatShare, formatValue } from '../../model/format.ts';
import type { PromptInfo } from '../../model/prompt-info.ts';
import type { PlannedCacheReport, RecordGroup } from '../../model/record-groups.ts';
import type { CellReport, Report, UniqueInfo } from '../../model/report.ts';
import { SHARED_BLOCKS } from '../../model/trace.ts';
import { oneLine } from '../text-width.ts';
import { cellName } from './notes.ts';
import { promptLines } from './prompts.ts';

/** Sentences about prefix caches: whether prompts were unique, and how many input tokens came from a cache. */

/** Above this share of cached input tokens, a report warns. */
const WARNING_SHARE = 0.1;

const SHARED_PREFIX =
  ' Text before the nonce is the same in all requests: tool definitions, or the start of a body template; put {{nonce}} there.';

/** Whether requests have unique prompts. */
export function uniqueLines(
  { prefixChars, same }: UniqueInfo,
  prompts: readonly PromptInfo[] = [],
): string[] {
  const [where, rest] = prompts.some(({ sharedPrefix }) => sharedPrefix !== undefined)
    ? [', after the shared prefix if it has one', ' the rest']
    : ['', ''];
  const asked = same.filter((one) => one.asked && one.why !== SHARED_BLOCKS);
  const traced = same.filter((one) => one.why === SHARED_BLOCKS);
  const fixed = same.filter((one) => !one.asked);
  const lines: string[] = [];
  if (same.length === 0) {
    lines.push(
      `Unique prompts: each request starts with its own nonce (${prefixChars} characters)${where}, so that no prefix cache can answer${rest}.`,
    );
  }
  if (asked.length > 0) {
    const which = (drawn: true | undefined) =>
      names(asked.filter((one) => one.drawn === drawn).map(({ prompt }) => prompt));
    const words = 'Not unique, as configured (unique: false):';
    if (which(undefined) !== '')
      lines.push(`${words} all requests of prompt ${which(undefined)} are identical.`);
    if (which(true) !== '')
      lines.push(`${words} requests that draw the same prompt of ${which(true)} are identical.`);
  }
  if (traced.length > 0) {
    lines.push(
      `Prompt ${names(traced.map(({ prompt }) => prompt))}: requests share the blocks of text that they shared in the trace. No other run sends the same texts.`,
    );
  }
  for (const why of new Set(fixed.map((one) => one.why))) {
    const targets = names(fixed.filter((one) => one.why === why).map(({ target }) => target));
    lines.push(`Not unique: all requests to ${targets} are identical (${why}).`);
  }
  return lines;
}

function names(list: readonly string[]): string {
  return [...new Set(list)].map(oneLine).join(', ');
}

/** Notes about unique prompts and about expected cache hits. */
export function cacheNotes(report: Report): string[] {
  const { unique, prompts } = report.run;
  return [
    ...(unique === undefined ? [] : uniqueLines(unique, prompts)),
    ...promptLines(prompts),
    ...report.cells.flatMap((cell) => (cell.plannedCache ? plannedWords(cell, cell.plannedCache) : [])),
    ...cached(report)
      .filter((cell) => !isUnexpected(cell, report))
      .map((cell) => `${cellName(cell)}: ${shareWords(cell)}. ${groupWords(cell)}`),
  ];
}

/** A warning for each cell with more than 10 % cached input tokens, unless the scenario allows it (unique: false). */
export function cacheWarnings(report: Report): string[] {
  return cached(report)
    .filter((cell) => isUnexpected(cell, report))
    .map((cell) => {
      const why = report.run.unique?.same.find(
        ({ target, prompt }) => target === cell.target && prompt === cell.prompt,
      )?.why;
      const contrast =
        report.run.unique === undefined
          ? ''
          : why === undefined
            ? ', although every prompt was unique'
            : ` (${why})`;
      return `${cellName(cell)}: ${shareWords(cell)}${contrast}. TTFT partly measures the cache. ${groupWords(cell)}${why === undefined ? SHARED_PREFIX : ''}`;
    });
}

function cached({ cells }: Report): CellReport[] {
  return cells.filter(({ cache, plannedCache }) => !plannedCache && cache != null && cache.cachedTokens > 0);
}

function isUnexpected(cell: CellReport, { run }: Report): boolean {
  const asked = run.unique?.same.some(
    ({ target, prompt, asked }) => asked && target === cell.target && prompt === cell.prompt,
  );
  return !asked && cell.cache!.share > WARNING_SHARE;
}

function shareWords({ cache }: CellReport): string {
  const { share, cachedTokens, inputTokens } = cache!;
  return `${formatShare(share)} of the input tokens came from a cache (${formatCount(cachedTokens)} of ${formatCount(inputTokens)})`;
}

function groupWords({ cache }: CellReport): string {
  return `TTFT p50: ${groupFigure(cache!.hit, 'hit')}, ${groupFigure(cache!.miss, 'miss')}.`;
}

function plannedWords(cell: CellReport, { hit, miss }: PlannedCacheReport): string {
  const figures = `TTFT p50: ${groupFigure(hit, 'hit')}, ${groupFigure(miss, 'miss')}`;
  const reported = [
    ['hits', hit],
    ['misses', miss],
  ] as const;
  const shares = reported.flatMap(([what, { inputTokens, cachedTokens }]) =>
    inputTokens ? [`${formatShare((cachedTokens ?? 0) / inputTokens)} of the input tokens of ${what}`] : [],
  );
  const server =
    shares.length === 0
      ? 'The server reports no cached tokens'
      : `The server took ${shares.join(' and ')} from its cache`;
  return `${cellName(cell)}: cache hits and misses as planned. ${figures}. ${server}.`;
}

function groupFigure({ requests, metrics }: RecordGroup, one: 'hit' | 'miss'): string {
  const count = `${formatCount(requests)} ${requests === 1 ? one : one === 'hit' ? 'hits' : 'misses'}`;
  return requests === 0 ? `no ${one}` : `${formatValue(metrics.ttft?.p50, 'ms')} of ${count}`;
}
