/** How busy one measuring thread was during a window. */
export interface LoopLoad {
  windowMs: number;
  /** Share of the window in which the event loop was not waiting, 0 to 1. */
  utilization: number;
  /** How late the event loop came round, the monitor's own resolution subtracted. */
  delayP99Ms: number;
  delayMaxMs: number;
  /** Time spent in garbage collection. */
  gcMs: number;
  /** CPU time of the whole process, all threads. */
  cpuMs: number;
}

/** The client's load while it ran one block: one entry a measuring thread. */
export interface BlockLoad {
  round: number;
  /** Index of the cell in the plan. */
  cell: number;
  threads: LoopLoad[];
}

/** Whether the client could keep up: beyond `ok`, its own lateness may be in the figures. */
export type ClientVerdict = 'ok' | 'strained' | 'saturated';

/** What the client says of itself for one cell. */
export interface ClientReport {
  verdict: ClientVerdict;
  /** Why, in words and numbers. */
  reason: string;
  /** Of the busiest thread, over all rounds. */
  utilization: number;
  delayP99Ms: number;
  delayMaxMs: number;
  /** Share of the window in garbage collection, the worst thread's. */
  gcShare: number;
  /** CPU time of the process over the windows' time: 1 is one core. */
  cpuCores: number;
  /** `started` after `scheduled`; null without a request. */
  latenessP99Ms: number | null;
  /** Share of requests that had to open a connection; null where none is known. */
  newConnectionShare: number | null;
  reads: number;
  events: number;
  threads: number;
}
