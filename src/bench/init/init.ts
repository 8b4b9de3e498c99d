import { EXIT, UserError } from '../../model/errors.ts';
import { isPlainDialect } from '../../model/plan.ts';
import type { Secret } from '../../model/redaction/secrets.ts';
import { headline, type ProbeReport, type ProbeRequest, succeeded } from '../../report/probe-report.ts';
import { type Draft, type DraftChoices, draftScenario } from '../../scenario/draft/draft.ts';
import { draftText } from '../../scenario/draft/draft-text.ts';
import { type PastedRequest, partsOfUrl } from '../../scenario/draft/pasted-request.ts';
import { type Env, reference } from '../../scenario/env.ts';
import { type LoadedScenario, parseScenario } from '../../scenario/parse.ts';
import type { ScenarioTarget } from '../../scenario/schema/target.ts';
import { keyVariables } from '../../scenario/targets.ts';
import { getDialect } from '../../wire/dialects/index.ts';
import { PROVIDERS } from '../../wire/providers.ts';
import { probe } from '../probe/probe.ts';
import { recogniseAnswer } from './recognise-answer.ts';

/** What a scenario file is made from. */
export interface InitInput {
  /** Undefined for a provider at its default URL. */
  request: PastedRequest | undefined;
  choices: DraftChoices;
  env: Env;
  /** The file that the scenario will be written to: relative paths start in its folder. */
  file: string;
  /** For the file's first comment, such as `a curl command`. */
  from: string;
  /** Reference to the JSON Schema for editors. */
  schema: string;
  /** Send one request, to recognise the dialect and to check the file. */
  send: boolean;
  signal?: AbortSignal;
}

/** A scenario file that is valid; if a request was sent, it got an answer. */
export interface InitResult {
  text: string;
  draft: Draft;
  /** The dialect was found in the answer and not in the URL. */
  recognised: boolean;
  /** The request in a few words; absent if none was sent. */
  facts?: string;
  /** The variables that a run needs, and whether each is set here. */
  variables: readonly { name: string; isSet: boolean }[];
}

/** Streams of plain endpoints may never end. */
const MAX_MS = 30_000;
const PREFIX_BYTES = 64 * 1024;

/** True if requests in this dialect name a model, and the draft has none. */
export function lacksModel({ target, isUnknown }: Draft): boolean {
  const { dialect, provider, model, url, body } = target as Partial<ScenarioTarget>;
  if (isUnknown || model !== undefined || body !== undefined) return false;
  const name = dialect ?? PROVIDERS.find((row) => row.name === provider)?.dialect;
  if (name === undefined || isPlainDialect(name) || !PROVIDERS.some((row) => row.dialect === name))
    return false;
  const wire = getDialect(name);
  const { path, body: written = '' } = wire.request({ messages: [], stream: true, model: 'a-model' });
  // The URL of some APIs contains the model.
  const inUrl = path.includes('a-model') && url !== undefined && wire.ownsPath(partsOfUrl(url).path);
  return !inUrl && `${path}${written}`.includes('a-model');
}

/** Values of a draft that must not be shown. */
export function draftSecrets({ variables }: Draft): Secret[] {
  return variables.flatMap(({ name, value }) =>
    value === undefined ? [] : [{ name: reference(name), value }],
  );
}

/**
 * Makes a scenario file and checks it. Throws a `UserError`: the request or the choices are invalid (exit code 2), a variable
 * is not set, or the request failed (exit code 7).
 */
export async function makeScenario(input: InitInput): Promise<InitResult> {
  const { request, choices, send } = input;
  const first = draftScenario(request, choices);
  const variables = variablesOf(first, input.env);
  if (!send) return written(recordedDraft(first, input), input, variables);
  const unset = variables.filter(({ isSet }) => !isSet).map(({ name }) => name);
  if (unset.length > 0) {
    throw new UserError('env_missing', {
      message: `not set in the environment: ${unset.join(', ')}`,
      hint: `set it for the request: export ${unset[0]}=...; or add --no-request to write the file without a request`,
    });
  }
  const asked = await ask(first, input);
  if (asked.isAnswered && !first.isUnknown) return written(first, input, variables, asked);
  const found = asked.isSuccess ? recogniseAnswer(asked.body, asked.headers) : undefined;
  if (found === undefined || (choices.dialect !== undefined && choices.dialect !== found.dialect)) {
    throw failed(asked);
  }
  const draft = draftScenario(request, {
    ...choices,
    dialect: found.dialect,
    textPath: choices.textPath ?? found.textPath,
    modes: found.isWhole ? ['non-streaming'] : undefined,
  });
  // The URL suggested another dialect, so the request was another one than that of the file.
  const last = first.isUnknown ? asked : await ask(draft, input);
  if (!last.isAnswered) throw failed(last);
  return { ...written(draft, input, variables, last), recognised: true };
}

/** What one request showed. */
interface Asked {
  report: ProbeReport;
  /** A complete answer, or one that began and was stopped at the time limit. */
  isAnswered: boolean;
  isSuccess: boolean;
  /** The beginning of the body. */
  body: string;
  headers: Readonly<Record<string, string>>;
  /** The request in a few words. */
  facts: string;
}

async function ask(draft: Draft, input: InitInput): Promise<Asked> {
  const bytes = new Prefix();
  const report = await probe(load(draftText(draft, input), draft, input), {
    forMs: isPlainDialect(String(draft.target.dialect)) ? MAX_MS : undefined,
    onBytes: (chunk) => bytes.add(chunk),
    signal: input.signal,
  });
  const [sent] = report.requests;
  if (sent === undefined) throw new Error('the probe reports no request');
  const { headers = {}, status = 0 } = sent.record;
  return {
    report,
    isAnswered: succeeded(sent),
    isSuccess: status >= 200 && status <= 299,
    body: bytes.text(),
    headers,
    facts: factsOf(sent),
  };
}

/** Without a request, the response in a HAR file can show the dialect. */
function recordedDraft(first: Draft, { request, choices }: InitInput): Draft {
  if (!first.isUnknown) return first;
  const recorded = request?.response;
  const found = recorded === undefined ? undefined : recogniseAnswer(recorded.body, recorded.headers);
  if (found === undefined) {
    throw new UserError('usage', {
      message: 'the dialect cannot be derived from this URL',
      hint: 'omit --no-request, so that the answer is examined, or add --dialect NAME (streambench dialects)',
    });
  }
  const { dialect, textPath, isWhole } = found;
  return draftScenario(request, {
    ...choices,
    dialect,
    textPath: choices.textPath ?? textPath,
    modes: isWhole ? ['non-streaming'] : undefined,
  });
}

function written(
  draft: Draft,
  input: InitInput,
  variables: InitResult['variables'],
  asked?: Asked,
): InitResult {
  const seen = asked && `One request on ${asked.report.probedAt.slice(0, 10)}: ${asked.facts}.`;
  const text = draftText(draft, { ...input, seen });
  load(text, draft, input);
  return { text, draft, recognised: false, variables, facts: asked?.facts };
}

/** Variables without a value get one, because only their presence is checked. */
function load(text: string, draft: Draft, { file, env }: InitInput): LoadedScenario {
  const missing = variablesOf(draft, env)
    .filter(({ isSet }) => !isSet)
    .map(({ name }) => [name, 'not-set'] as const);
  const pasted = draft.variables.flatMap(({ name, value }) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return parseScenario(text, file, { env: { ...env, ...Object.fromEntries([...missing, ...pasted]) } });
}

function variablesOf({ target, variables }: Draft, env: Env): InitResult['variables'] {
  const own = variables.map(({ name, value }) => ({ name, isSet: Boolean(value ?? env[name]) }));
  const ofProvider = keyVariables(target as ScenarioTarget)
    .filter(({ isRequired }) => isRequired)
    .map(({ name }) => ({ name, isSet: Boolean(env[name]) }));
  return [...own, ...ofProvider];
}

function factsOf({ record, stopped }: ProbeRequest): string {
  const { ttftMs, totalMs } = headline(record);
  const type = record.headers?.['content-type']?.split(';', 1)[0];
  return [
    `status ${record.status}`,
    ...(type === undefined ? [] : [type]),
    ...(ttftMs === null ? [] : [`first content after ${Math.round(ttftMs)} ms`]),
    ...(totalMs === null || stopped ? [] : [`complete after ${Math.round(totalMs)} ms`]),
  ].join(', ');
}

function failed({ report: { target, requests } }: Asked): UserError {
  const { outcome, status } = requests[0]!.record;
  const cause =
    outcome.kind === 'ok'
      ? `status ${status}, but the answer cannot be read`
      : `${outcome.kind}: ${outcome.message ?? `status ${status}`}`;
  const remedy = outcome.hint ?? 'check the URL, the method and the key';
  return new UserError(
    'unreachable',
    {
      message: `${target.method} ${target.url}: ${cause}`,
      hint: `${remedy}${remedy.endsWith('?') ? '' : '.'} No file was written; --no-request writes it without a request`,
    },
    EXIT.unreachable,
  );
}

/** The beginning of a body, as text. */
class Prefix {
  private readonly chunks: Uint8Array[] = [];
  private length = 0;

  add(chunk: Uint8Array): void {
    if (this.length >= PREFIX_BYTES) return;
    // The caller may reuse the memory.
    this.chunks.push(Uint8Array.from(chunk));
    this.length += chunk.byteLength;
  }

  text(): string {
    return Buffer.concat(this.chunks).toString('utf8', 0, PREFIX_BYTES);
  }
}
