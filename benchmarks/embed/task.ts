/** Libraries that read the answers. They differ in how they read a body: the first iterates it, the other pipes it. */
export const LIBRARIES = ['openai', '@ai-sdk/openai-compatible'] as const;

/** `bare`: the global fetch. `fetch`: measuredFetch. `dispatcher`: the global fetch with measuredDispatcher. */
export const WAYS = ['bare', 'fetch', 'dispatcher'] as const;

/** What is measured. */
export interface EmbedTask {
  library: (typeof LIBRARIES)[number];
  way: (typeof WAYS)[number];
  port: number;
  streams: number;
  settleMs: number;
  windowMs: number;
}

/** What one process measured. */
export interface EmbedResult {
  events: number;
  /** User and system time of the process within the window. */
  cpuMicrosPerEvent: number;
  /** From the server's stamp to the library's reader, in ms. */
  lagMs: { p50: number; p99: number };
  rssBytes: number;
}
