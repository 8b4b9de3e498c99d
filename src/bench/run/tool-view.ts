import { TOOL_DEFINITIONS } from '../../analysis/other-tools/definitions.ts';
import { createToolFold } from '../../analysis/other-tools/fold.ts';
import type { ToolView } from '../../analysis/other-tools/tool-view.ts';
import type { ViewToolName } from '../../model/tool-names.ts';
import { readRun, readWarnings } from '../../results/read-run.ts';

/** Reads a run and computes its figures as another tool defines them. Rejects with a `UserError` where the run cannot be read. */
export async function toolView(
  folder: string,
  tool: ViewToolName,
): Promise<{ view: ToolView; warnings: string[] }> {
  const stored = await readRun(folder);
  const fold = createToolFold(TOOL_DEFINITIONS[tool], stored.manifest);
  for await (const batch of stored.batches) for (const record of batch) fold.add(record);
  return { view: fold.view(stored.manifest), warnings: readWarnings(stored, folder) };
}
