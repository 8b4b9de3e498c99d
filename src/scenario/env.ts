import { parse } from 'yaml';
import type { Secret } from '../model/redaction/secrets.ts';
import { nearNames } from '../model/suggestions.ts';
import { mapScalars, type Path } from './value-paths.ts';

/** The environment, as an argument. */
export type Env = Readonly<Record<string, string | undefined>>;

/** A text of the document with references to the environment. */
export interface EnvUse {
  path: Path;
  /** As written in the document. */
  written: string;
  /** With its references replaced. */
  text: string;
  /** The values from the environment, not from defaults. */
  values: readonly Secret[];
  /** True if a variable was missing; `text` is then as written. */
  missing: boolean;
}

/** A reference that cannot be resolved. */
interface EnvProblem {
  path: Path;
  message: string;
  hint: string;
}

/** A document with its references resolved. */
export interface Resolved {
  value: unknown;
  uses: readonly EnvUse[];
  problems: readonly EnvProblem[];
}

const REFERENCE = /\$(\$?)\{env:([A-Za-z_]\w*)(?::-([^}]*))?\}/g;

/** `${env:NAME}`: shown in place of a value from the environment. */
export function reference(variable: string): string {
  return `\${env:${variable}}`;
}

/** True if a text refers to the environment. */
export function hasReference(text: string): boolean {
  return Array.from(text.matchAll(REFERENCE)).some(([, escaped]) => escaped === '');
}

/** A variable of the environment that a scenario uses. */
export interface UsedVariable {
  name: string;
  /** False where the scenario has a default for it, or works without it. */
  isRequired: boolean;
}

/** The variables that the texts of a document refer to, each once. */
export function usedVariables(document: unknown): UsedVariable[] {
  const found = new Map<string, UsedVariable>();
  mapScalars(document, (scalar, path) => {
    if (typeof scalar !== 'string' || isLabel(path)) return scalar;
    for (const [, escaped, name = '', fallback] of scalar.matchAll(REFERENCE)) {
      if (escaped !== '') continue;
      const isRequired = fallback === undefined || found.get(name)?.isRequired === true;
      found.set(name, { name, isRequired });
    }
    return scalar;
  });
  return [...found.values()];
}

/**
 * Replaces `${env:NAME}` and `${env:NAME:-default}` in every text of the document; `$${env:NAME}` becomes the text
 * `${env:NAME}`. An empty variable counts as missing, because CI systems pass missing secrets as empty variables. Names are
 * labels in reports and are not changed. A text that is a single unquoted reference is parsed as a YAML scalar, so it can
 * become a number or a boolean.
 */
export function resolveEnv(document: unknown, env: Env, quoted: (path: Path) => boolean): Resolved {
  const uses: EnvUse[] = [];
  const problems: EnvProblem[] = [];
  const value = mapScalars(document, (scalar, path) => {
    if (typeof scalar !== 'string' || !scalar.includes('{env:') || isLabel(path)) return scalar;
    const values: Secret[] = [];
    let missing = false;
    const text = scalar.replace(REFERENCE, (whole, escaped: string, name: string, fallback?: string) => {
      if (escaped !== '') return whole.slice(1);
      const found = env[name];
      if (found !== undefined && found !== '') {
        values.push({ name: reference(name), value: found });
        return found;
      }
      if (fallback !== undefined) return fallback;
      missing = true;
      problems.push({ path, ...missingVariable(name, env) });
      return whole;
    });
    if (/(?<!\$)\$\{env:/.test(scalar.replace(REFERENCE, ''))) {
      missing = true;
      problems.push({
        path,
        message: 'invalid reference to the environment',
        hint: `write \${env:NAME} or \${env:NAME:-default}`,
      });
    }
    if (text === scalar && !missing) return scalar;
    uses.push({ path, written: scalar, text: missing ? scalar : text, values, missing });
    if (missing) return scalar;
    const whole = scalar.replace(REFERENCE, '') === '' && scalar.match(REFERENCE)?.length === 1;
    return whole && !quoted(path) ? asScalar(text) : text;
  });
  return { value, uses, problems };
}

function isLabel(path: Path): boolean {
  if (path.length === 1) return path[0] === 'name' || path[0] === 'description';
  return path.length === 3 && path[2] === 'name' && (path[0] === 'targets' || path[0] === 'prompts');
}

function missingVariable(name: string, env: Env): { message: string; hint: string } {
  const state = env[name] === '' ? 'empty' : 'not set';
  // Only similar names, because a list of all variables would reveal details of the machine.
  const near = nearNames(name, Object.keys(env)).filter((other) => other !== name);
  const meant = near.length > 0 ? `did you mean ${near.join(' or ')}? Or ` : '';
  return {
    message: `environment variable ${name} is ${state}`,
    hint: `${meant}set it, or add a default: \${env:${name}:-value}`,
  };
}

function asScalar(text: string): unknown {
  try {
    const value: unknown = parse(text);
    return typeof value === 'number' || typeof value === 'boolean' ? value : text;
  } catch {
    return text;
  }
}
