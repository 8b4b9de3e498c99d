/**
 * The names of the tools, apart from their code: the command line lists them in its help without loading a reader. `tools.ts` has
 * one for each.
 */
export const IMPORT_TOOL_NAMES = ['aiperf', 'guidellm', 'vllm', 'genai-bench', 'inference-perf'] as const;

/** Name of a tool whose results can be imported. */
export type ImportToolName = (typeof IMPORT_TOOL_NAMES)[number];
