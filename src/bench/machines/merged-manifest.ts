import { createHash } from 'node:crypto';
import type { BlockUtilization, ServerIdle, ServerLoad } from '../../model/load-report.ts';
import type { Manifest, NoiseFloor } from '../../model/report.ts';
import { runId } from '../../results/run-folder.ts';
import type { StoredShard } from './check-shards.ts';

type Shards = readonly [StoredShard, ...StoredShard[]];

/** The id of a merged run: the same shards give the same id. */
export function mergedId(shards: Shards): string {
  const ids = shards.map(({ manifest }) => manifest.run.id).join(' ');
  const drawn = createHash('sha256').update(ids).digest().readUInt16BE(0) / 0x10000;
  return runId(shards[0].manifest.scenario.name, startOf(shards), () => drawn);
}

function startOf(shards: Shards): Date {
  return new Date(Math.min(...shards.map(({ manifest }) => Date.parse(manifest.run.startedAt))));
}

/**
 * The manifest of a merged run, from those of its shards. Scenario, plan and gates are equal in all of them; the environment is
 * that of shard 1, and `machines` lists the others.
 */
export function mergedManifest(shards: Shards): Manifest {
  const [first] = shards;
  const manifests = shards.map(({ manifest }) => manifest);
  const { process: _process, shard: _shard, ...shared } = first.manifest;
  const startedAt = startOf(shards);
  // Of the shards that have ended.
  const ends = manifests.flatMap(({ run }) => (run.endedAt === undefined ? [] : [Date.parse(run.endedAt)]));
  const endedAtMs = ends.length === 0 ? undefined : Math.max(...ends);
  const planned = manifests.map(({ run }) => run.planned);
  return {
    ...shared,
    run: {
      ...first.manifest.run,
      id: mergedId(shards),
      startedAt: startedAt.toISOString(),
      endedAt: endedAtMs === undefined ? undefined : new Date(endedAtMs).toISOString(),
      durationMs: endedAtMs === undefined ? undefined : endedAtMs - startedAt.getTime(),
      // Until all records have been written.
      aborted: true,
      abortReason: 'the merge did not finish',
      planned: planned.some((count) => count === null) ? null : sum(planned),
      unique: first.manifest.run.unique && { ...first.manifest.run.unique, salt: '' },
      unwritten: sum(manifests.map(({ run }) => run.unwritten ?? null)) || undefined,
    },
    loads: shards.flatMap(({ manifest, shard }) => loadsOf(manifest, shard.number, startedAt)),
    records: undefined,
    servers: idleServers(shards),
    serverLoads: first.manifest.servers && mergedServerLoads(manifests),
    floor: worstFloor(manifests),
  };
}

function sum(values: readonly (number | null)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

/** The client's utilization in the blocks of a shard, with times from the start of the merged run. */
function loadsOf({ run, loads = [] }: Manifest, shard: number, startedAt: Date): BlockUtilization[] {
  const shiftMs = Date.parse(run.startedAt) - startedAt.getTime();
  return loads.map((load) => ({
    ...load,
    shard,
    threads: load.threads.map((thread) =>
      thread.fromMs === undefined ? thread : { ...thread, fromMs: thread.fromMs + shiftMs },
    ),
  }));
}

/** The servers before the first request: as the shard saw them that started first, when the others sent nothing yet. */
function idleServers(shards: Shards): readonly ServerIdle[] | undefined {
  const [first] = [...shards].sort((a, b) =>
    a.manifest.run.startedAt.localeCompare(b.manifest.run.startedAt),
  );
  return first?.manifest.servers;
}

/**
 * The metrics of the servers in all blocks. Every shard read the same counters of the same server, which contain the requests of all
 * shards: of a block only the first shard's are kept, because their sum would count each request several times.
 */
export function mergedServerLoads(manifests: readonly Pick<Manifest, 'serverLoads'>[]): ServerLoad[] {
  const counted = new Set<string>();
  return manifests.flatMap(({ serverLoads = [] }) => {
    const blocks = serverLoads.map(({ round, cell }) => `${round} ${cell}`);
    const kept = serverLoads.map((load, index) =>
      counted.has(blocks[index] ?? '') ? { ...load, serving: undefined } : load,
    );
    for (const [index, { serving }] of kept.entries()) {
      if (serving !== undefined) counted.add(blocks[index] ?? '');
    }
    return kept;
  });
}

/** The noise floor at each level, of the machine with the highest. */
function worstFloor(manifests: readonly Manifest[]): NoiseFloor[] | undefined {
  const worst = new Map<number, NoiseFloor>();
  for (const floor of manifests.flatMap((manifest) => manifest.floor ?? [])) {
    const known = worst.get(floor.streams);
    if (known === undefined || floor.p99Ms > known.p99Ms) worst.set(floor.streams, floor);
  }
  return worst.size === 0 ? undefined : [...worst.values()].sort((a, b) => a.streams - b.streams);
}
