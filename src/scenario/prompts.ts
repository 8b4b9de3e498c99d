import { readdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { nearNames } from '../model/names.ts';
import type { Prompt } from '../model/plan.ts';
import type { Message } from '../model/request.ts';
import { valueAt } from './paths.ts';
import type { Finding } from './problems.ts';
import type { ScenarioPrompt } from './schema.ts';

/** Prompts: the texts of their files, and the messages they come to. */

/** What reading the prompts' files gave. */
export interface PromptFiles {
  /** By the path that the scenario gives. */
  texts: ReadonlyMap<string, string>;
  findings: Finding[];
}

/** Reads the file of every prompt in a document that names one; `folder` is where relative paths begin. */
export function readPrompts(
  document: unknown,
  folder: string,
  readText: (path: string) => string,
): PromptFiles {
  const texts = new Map<string, string>();
  const findings: Finding[] = [];
  const prompts = valueAt(document, ['prompts']);
  for (const index of Array.isArray(prompts) ? prompts.keys() : []) {
    const file = valueAt(prompts, [index, 'file']);
    if (typeof file !== 'string' || file === '' || texts.has(file)) continue;
    const path = resolve(folder, file);
    const finding = { path: ['prompts', index, 'file'], at: 'value' } as const;
    try {
      // Editors end a file with a line feed that is not meant to be sent.
      const text = readText(path)
        .replace(/^\uFEFF/, '')
        .replace(/\r?\n$/, '');
      if (text === '') findings.push({ ...finding, message: `the prompt file ${path} is empty` });
      texts.set(file, text);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      const near = code === 'ENOENT' ? nearbyFiles(path) : [];
      const message =
        code === 'ENOENT' ? `there is no prompt file ${path}` : `cannot read ${path} (${code ?? error})`;
      findings.push({
        ...finding,
        message,
        ...(near.length > 0 ? { hint: `did you mean ${near.join(' or ')}?` } : {}),
      });
    }
  }
  return { texts, findings };
}

/** The messages of a prompt. `texts` holds the files' contents. */
export function resolvePrompt(prompt: ScenarioPrompt, texts: ReadonlyMap<string, string>): Prompt {
  const { name, text, file, messages, system, maxTokens } = prompt;
  const content = text ?? (file === undefined ? undefined : texts.get(file));
  if (messages === undefined && content === undefined)
    throw new Error(`the text of prompt ${name} was not read`);
  const conversation: Message[] = messages ?? [{ role: 'user', content: content! }];
  return {
    name,
    messages: system === undefined ? conversation : [{ role: 'system', content: system }, ...conversation],
    ...(maxTokens === undefined ? {} : { maxTokens }),
  };
}

/** Names of files beside `path` that are like its own. */
export function nearbyFiles(path: string): string[] {
  try {
    return nearNames(basename(path), readdirSync(dirname(path)));
  } catch {
    return []; // No such folder: there is nothing to suggest.
  }
}
