/**
 * The names of other benchmark tools, apart from the code for them: the command line lists them in its help without loading a
 * reader or a definition.
 */

/** The tools whose results can be imported. `imports/tools.ts` has a reader for each. */
export const IMPORT_TOOL_NAMES = ['aiperf', 'guidellm', 'vllm', 'genai-bench', 'inference-perf'] as const;

/** One of `IMPORT_TOOL_NAMES`. */
export type ImportToolName = (typeof IMPORT_TOOL_NAMES)[number];

/** The tools under whose definitions a run can be reported. `analysis/other-tools/definitions.ts` has them. */
export const VIEW_TOOL_NAMES = ['vllm', 'aiperf', 'guidellm'] as const;

/** One of `VIEW_TOOL_NAMES`. */
export type ViewToolName = (typeof VIEW_TOOL_NAMES)[number];
