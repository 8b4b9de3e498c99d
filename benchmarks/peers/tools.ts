import { aiperf } from './tools/aiperf.ts';
import { guidellm } from './tools/guidellm.ts';
import { k6 } from './tools/k6.ts';
import { streambench, streambenchPrometheus, streambenchThreads } from './tools/streambench.ts';
import type { Tool } from './tools/tool.ts';
import { vllmBench } from './tools/vllm-bench.ts';

/** The tools that can be compared, ours first. */
export const TOOLS: readonly Tool[] = [
  streambench,
  ...streambenchThreads,
  streambenchPrometheus,
  vllmBench,
  aiperf,
  guidellm,
  k6,
];
