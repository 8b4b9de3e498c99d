import { UserError } from '../../src/model/errors.ts';
import { type LoadedScenario, type ParseOptions, parseScenario } from '../../src/scenario/parse.ts';

/** A scenario with nothing unusual in it; `rest` is appended to its text. */
export function yaml(rest = ''): string {
  return `version: 1
name: small
targets:
  - name: local
    url: http://127.0.0.1:9/v1
    dialect: openai-chat
    model: m
prompts:
  - { name: short, text: hello }
${rest}`;
}

/** Parses a scenario's text under the name `s.yaml`, in an empty environment unless one is given. */
export function load(text: string, options: Partial<ParseOptions> = {}): LoadedScenario {
  return parseScenario(text, 's.yaml', { env: {}, ...options });
}

/** The error that `run` throws; fails when it throws none, or one that is not the user's to mend. */
export function userError(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('expected a UserError');
}

/** The problems of a scenario's text, each as `line:column message | hint`. */
export function problems(text: string, options: Partial<ParseOptions> = {}): string[] {
  return userError(() => load(text, options)).problems.map(({ message, place, hint }) => {
    const at = place?.line === undefined ? (place?.file ?? '?') : `${place.line}:${place.column}`;
    return `${at} ${message}${hint === undefined ? '' : ` | ${hint}`}`;
  });
}
