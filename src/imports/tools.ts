import type { ImportToolName } from '../model/tool-names.ts';
import { aiperf } from './aiperf.ts';
import { genaiBench } from './genai-bench.ts';
import { guidellm } from './guidellm.ts';
import { inferencePerf } from './inference-perf.ts';
import type { ImportTool } from './tool.ts';
import { vllm } from './vllm.ts';

/** The tools whose results can be imported. */
export const IMPORT_TOOLS: Readonly<Record<ImportToolName, ImportTool>> = {
  aiperf,
  guidellm,
  vllm,
  'genai-bench': genaiBench,
  'inference-perf': inferencePerf,
};
