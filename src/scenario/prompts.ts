import type { Prompt } from '../model/plan.ts';
import { MAX_TEXT_BYTES, type ReadNamedFile } from './files.ts';
import type { Finding } from './problems.ts';
import type { ScenarioPrompt } from './schema/scenario.ts';
import { type Path, valueAt } from './value-paths.ts';

/** The texts of prompt files, and the messages of prompts. */

/** The prompt files. */
interface PromptFiles {
  /** By the path in the scenario. */
  texts: ReadonlyMap<string, string>;
  findings: Finding[];
}

/** Reads the files of all prompts in a document. */
export function readPrompts(document: unknown, read: ReadNamedFile): PromptFiles {
  const texts = new Map<string, string>();
  const findings: Finding[] = [];
  const prompts = valueAt(document, ['prompts']);
  for (const index of Array.isArray(prompts) ? prompts.keys() : []) {
    const at: Path = ['prompts', index, 'file'];
    const file = valueAt(document, at);
    if (typeof file !== 'string' || file === '' || texts.has(file)) continue;
    const content = read({ at, file, what: 'prompt file', maxBytes: MAX_TEXT_BYTES });
    if (!Buffer.isBuffer(content)) {
      findings.push({ path: at, at: 'value', message: content.message, hint: content.hint });
      continue;
    }
    // The final line feed, which editors add, is not sent.
    const text = content
      .toString()
      .replace(/^\uFEFF/, '')
      .replace(/\r?\n$/, '');
    if (text === '') findings.push({ path: at, at: 'value', message: `the prompt file ${file} is empty` });
    texts.set(file, text);
  }
  return { texts, findings };
}

/** The messages of a prompt. `texts` holds the files' contents. */
export function resolvePrompt(prompt: ScenarioPrompt, texts: ReadonlyMap<string, string>): Prompt {
  const { name, text, file, messages, system, maxTokens } = prompt;
  const content = text ?? (file === undefined ? undefined : texts.get(file));
  const conversation = messages ?? (content === undefined ? undefined : [{ role: 'user' as const, content }]);
  if (conversation === undefined) throw new Error(`the text of prompt ${name} was not read`);
  return {
    name,
    messages: system === undefined ? conversation : [{ role: 'system', content: system }, ...conversation],
    maxTokens,
  };
}
