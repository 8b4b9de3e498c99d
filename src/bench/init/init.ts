import { EXIT, UserError } from '../../model/errors.ts';
import { isPlainDialect } from '../../model/plan.ts';
import type { Secret } from '../../model/redaction/secrets.ts';
import { headline, type ProbeReport } from '../../report/probe-report.ts';
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
  report?: ProbeReport;
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
  const bytes = new Prefix();
  const report = await probe(load(draftText(first, input), first, input), {
    forMs: isPlainDialect(String(first.target.dialect)) ? MAX_MS : undefined,
    onBytes: (chunk) => bytes.add(chunk),
    signal: input.signal,
  });
  const [sent] = report.requests;
  if (sent === undefined) throw new Error('the probe reports no request');
  const { outcome, headers = {}, status = 0 } = sent.record;
  const answered = outcome.kind === 'ok' || (sent.stopped?.by === 'time' && sent.record.bytes > 0);
  const found =
    (answered && !first.isUnknown) || status < 200 || status > 299
      ? undefined
      : recogniseAnswer(bytes.text(), headers);
  if (answered && !first.isUnknown) return { ...written(first, input, variables, seenIn(report)), report };
  const sure = choices.dialect !== undefined && found?.dialect !== undefined;
  if (found === undefined || sure) throw failed(sent.record.outcome, status, report);
  const draft = draftScenario(request, {
    ...choices,
    dialect: found.dialect,
    textPath: choices.textPath ?? found.textPath,
    modes: found.isWhole ? ['non-streaming'] : undefined,
  });
  return { ...written(draft, input, variables, seenIn(report, draft)), report, recognised: true };
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
  seen?: string,
): InitResult {
  const text = draftText(draft, { ...input, seen });
  load(text, draft, input);
  return { text, draft, recognised: false, variables };
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

/** What the request showed, in one line for the file. */
function seenIn({ requests, probedAt }: ProbeReport, draft?: Draft): string {
  const record = requests[0]?.record;
  if (record === undefined) return '';
  const type = record.headers?.['content-type']?.split(';', 1)[0];
  const { ttftMs } = headline(record);
  const parts = [
    `status ${record.status}`,
    ...(type === undefined ? [] : [type]),
    ...(draft === undefined ? [] : [`recognised as ${draft.target.dialect}`]),
    ...(ttftMs === null ? [] : [`first content after ${Math.round(ttftMs)} ms`]),
  ];
  return `One request on ${probedAt.slice(0, 10)}: ${parts.join(', ')}.`;
}

function failed(
  { kind, message, hint }: { kind: string; message?: string; hint?: string },
  status: number,
  { target }: ProbeReport,
): UserError {
  const cause =
    kind === 'ok'
      ? `the answer is not one that streambench can read (status ${status})`
      : `${kind}: ${message ?? `status ${status}`}`;
  const remedy = hint ?? 'check the URL, the method and the key';
  return new UserError(
    'unreachable',
    {
      message: `${target.method} ${target.url}: ${cause}`,
      hint: `${remedy}; no file was written (--no-request writes it without asking the service)`,
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
