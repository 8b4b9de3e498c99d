import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Problem, UserError } from '../../model/errors.ts';
import type { Manifest } from '../../model/report.ts';
import { type Shard, shardInWords } from '../../model/shard.ts';
import type { ShardInfo } from '../../model/shard-report.ts';
import { MANIFEST_FILE } from '../../results/run-folder.ts';

/** The manifest of a shard, with its folder. */
export interface StoredShard {
  folder: string;
  manifest: Manifest;
  shard: ShardInfo;
}

interface Candidate {
  folder: string;
  manifest: Manifest;
}

/**
 * The shards in these folders, in order. Throws a `UserError` (`results_invalid`) with every reason why they are not all the
 * shards of one run: a run that is no shard, a shard that is missing or given twice, another scenario, version, seed or plan.
 */
export function checkShards(candidates: readonly Candidate[]): [StoredShard, ...StoredShard[]] {
  const shards: StoredShard[] = [];
  const problems: Problem[] = [];
  for (const { folder, manifest } of candidates) {
    if (manifest.shard !== undefined) shards.push({ folder, manifest, shard: manifest.shard });
    else problems.push(noShard(folder, manifest));
  }
  shards.sort((a, b) => a.shard.number - b.shard.number);
  const [first, ...others] = shards;
  if (first !== undefined) {
    // Where shards of several runs are mixed, which numbers are missing means nothing.
    const differences = others.flatMap((other) => differencesOf(first, other));
    problems.push(...(differences.length > 0 ? differences : numberProblems(shards, first.shard.of)));
  }
  if (first === undefined || problems.length > 0) throw new UserError('results_invalid', problems);
  return [first, ...others];
}

function at(folder: string): Problem['place'] {
  return { file: join(folder, MANIFEST_FILE) };
}

function noShard(folder: string, { machines }: Manifest): Problem {
  return machines === undefined
    ? {
        message: 'this run is not a shard',
        place: at(folder),
        hint: 'merge joins the runs of `streambench run --shard i/n`; compare two whole runs with: streambench compare',
      }
    : {
        message: 'this run has been merged already',
        place: at(folder),
        hint: 'merge the runs of its shards',
      };
}

/** What must be equal in all shards of a run, with how to make it so. */
const FACTS: readonly {
  what: string;
  of(shard: StoredShard): string | number | undefined;
  hint: string;
  /** True where a shard may not know it. */
  isOptional?: true;
}[] = [
  {
    what: 'the scenario',
    of: ({ manifest: { scenario } }) => `${scenario.name} (${scenario.hash.slice(0, 12)})`,
    hint: 'give all shards the same scenario, files and flags',
  },
  {
    what: 'the number of shards',
    of: ({ shard }) => shard.of,
    hint: 'merge shards of one run only',
  },
  {
    what: 'the seed',
    of: ({ manifest }) => manifest.run.seed,
    hint: 'give all shards the same seed: --set seed=NUMBER',
  },
  {
    what: 'the version of streambench',
    of: ({ manifest }) => manifest.environment.streambench,
    hint: 'install the same version on all machines',
  },
  {
    what: 'the number of rounds',
    of: ({ manifest }) => manifest.run.rounds,
    hint: 'give all shards the same scenario and flags',
  },
  {
    // They are no part of the hash, because they change no figure.
    what: 'what the gates check',
    of: ({ manifest: { thresholds, objectives = [], regressions = [] } }) =>
      [...thresholds, ...objectives, ...regressions].join(', ') || 'nothing',
    hint: 'give all shards the same thresholds, objectives and regression checks',
  },
  {
    what: 'the start time',
    of: ({ shard }) => shard.startAt ?? 'none',
    hint: 'give all shards the same --start-at',
  },
  {
    what: 'the job of the scheduler',
    of: ({ shard }) => shard.group,
    hint: 'merge shards of one run only',
    isOptional: true,
  },
];

function differencesOf(first: StoredShard, other: StoredShard): Problem[] {
  const found = FACTS.flatMap(({ what, of, hint, isOptional }): Problem[] => {
    const [ours, theirs] = [of(first), of(other)];
    if (ours === theirs || (isOptional && (ours === undefined || theirs === undefined))) return [];
    return [
      {
        message: `${what} differs: ${theirs} here, ${ours} in ${first.folder}${where(what, first, other)}`,
        place: at(other.folder),
        hint,
      },
    ];
  });
  const [a, b] = [first.manifest, other.manifest];
  const isSamePlan = isDeepStrictEqual(a.cells, b.cells) && a.stallMs === b.stallMs;
  if (found.length > 0 || isSamePlan) return found;
  return [
    {
      message: `the plan differs from that in ${first.folder}`,
      place: at(other.folder),
      hint: 'give all shards the same scenario, files and flags',
    },
  ];
}

/** The parts of the scenario that differ; empty where that is not known. */
function where(what: string, { manifest: a }: StoredShard, { manifest: b }: StoredShard): string {
  if (what !== 'the scenario') return '';
  const [ours, theirs] = [fieldsOf(a.scenario.document), fieldsOf(b.scenario.document)];
  const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  const differing = keys.filter((key) => !isDeepStrictEqual(ours[key], theirs[key]));
  return differing.length === 0 ? '' : `; they differ in ${differing.join(', ')}`;
}

function fieldsOf(document: unknown): Record<string, unknown> {
  return typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : {};
}

function numberProblems(shards: readonly StoredShard[], of: number): Problem[] {
  const problems: Problem[] = [];
  const byNumber = new Map<number, StoredShard>();
  for (const stored of shards) {
    const { number } = stored.shard;
    const other = byNumber.get(number);
    if (other === undefined) byNumber.set(number, stored);
    else problems.push(twice(stored, other));
  }
  const missing = Array.from({ length: of }, (_, index) => index + 1).filter(
    (number) => !byNumber.has(number),
  );
  const [number] = missing;
  if (number !== undefined) {
    const which =
      missing.length === 1
        ? `shard ${shardInWords({ number, of })} is`
        : `${missing.length} of ${of} shards are`;
    problems.push({
      message: `${which} missing${missing.length === 1 ? '' : `: ${missing.join(', ')}`}`,
      hint: 'add the missing folders; a load of which a part was not measured cannot be reported',
    });
  }
  return problems;
}

function twice({ folder, manifest, shard }: StoredShard, other: StoredShard): Problem {
  const name = `shard ${shardInWords(shard satisfies Shard)}`;
  if (realpathSync(folder) === realpathSync(other.folder))
    return { message: `${name} is given twice`, place: at(folder), hint: 'give each folder once' };
  const state = (run: Manifest['run']) => (run.aborted ? ' (incomplete)' : '');
  return {
    message: `${name} is given twice: also ${other.folder}${state(other.manifest.run)}${manifest.run.aborted ? '; this one is incomplete' : ''}`,
    place: at(folder),
    hint: 'leave one of them out: a scheduler may have started the task again',
  };
}
