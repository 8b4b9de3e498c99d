import type { ChatRequest } from '../../model/request.ts';
import { dialectOfUrl, getDialect } from '../../wire/dialects/index.ts';
import { definedFields } from '../../wire/json.ts';
import { type Provider, providerOfUrl } from '../../wire/providers.ts';
import { assumedDialect, DEFAULT_PROMPT } from '../from-flags.ts';
import { providerRow } from '../schema/endpoint.ts';
import { authScheme } from '../targets.ts';
import { API_KEY, KeyReferences, type KeyVariable } from './key-references.ts';
import { bodyTemplate, knownRequest } from './known-request.ts';
import { type PastedRequest, partsOfUrl } from './pasted-request.ts';

/** A scenario of one target and one prompt, made from a request. Its texts hold no keys. */
export interface Draft {
  name: string;
  target: Readonly<Record<string, unknown>> & { name: string };
  prompt: Readonly<Record<string, unknown>>;
  modes: readonly string[];
  /** Variables to set before a run, and their values if the request had them. */
  variables: readonly KeyVariable[];
  /** Names of headers of the request that the scenario does not send. */
  dropped: readonly string[];
  /** True if the request has no place for a prompt, so that all requests are the same. */
  isConstant: boolean;
  /** True if nothing shows the dialect: `raw` stands for it. */
  isUnknown: boolean;
  /** The default limit of the answer was added. */
  limited: boolean;
}

/** What the user has chosen, or what the response shows. */
export interface DraftChoices {
  provider?: string;
  dialect?: string;
  textPath?: string;
  model?: string;
  prompt?: string;
  name?: string;
  /** Name of the variable for the key. Default: the provider's, or one made from the host. */
  keyVariable?: string;
  /** Default: streaming. */
  modes?: readonly string[];
}

/** The default limit of an answer, which keeps a first run short and cheap. */
export const DRAFT_MAX_TOKENS = 128;

/** The scenario that sends this request. `request` is undefined for a provider at its default URL. */
export function draftScenario(request: PastedRequest | undefined, choices: DraftChoices): Draft {
  const row = providerRow(choices.provider) ?? (request && providerOfUrl(request.url));
  const url = request?.url ?? row?.baseUrl ?? '';
  const ownDialect = dialectOfUrl(`http://host${partsOfUrl(url).path}`);
  const found =
    choices.dialect ?? ownDialect ?? row?.dialect ?? (isBare(request) ? assumedDialect(url) : undefined);
  const dialect = found ?? 'raw';
  const keys = new KeyReferences(prefixOf(url, row));
  const content = contentOf(request, dialect, row, choices, keys);
  const auth = authOf(request, row, dialect, choices, keys);
  const { headers, dropped } = headersOf(
    request,
    dialect,
    auth.used,
    keys,
    typeof content.target.body === 'string',
  );
  const address = addressOf(url, row, dialect, content.target, keys, choices);
  const { model } = content.target;
  const name = choices.name ?? (typeof model === 'string' ? model : (row?.name ?? partsOfUrl(url).host));
  return {
    name,
    target: {
      name,
      ...definedFields({
        ...address,
        ...content.target,
        textPath: choices.textPath,
        apiKey: auth.apiKey,
        headers: Object.keys(headers).length === 0 ? undefined : headers,
        ...request?.connection,
      }),
    },
    prompt: content.prompt,
    modes: choices.modes ?? ['streaming'],
    variables: keys.variables,
    dropped,
    isConstant: content.isConstant,
    isUnknown: found === undefined,
    limited: content.limited,
  };
}

/** True if the request is only an address, without a body of its own. */
function isBare(request: PastedRequest | undefined): boolean {
  return request !== undefined && request.method === 'GET' && request.body === undefined;
}

function withoutStart(text: string, start: string): string | undefined {
  return text.startsWith(start) ? text.slice(start.length) : undefined;
}

/** Begins the names of variables: `EXAMPLE` for api.example.com, `LOCAL` for an IP address. */
function prefixOf(url: string, row: Provider | undefined): string {
  if (row?.keyVariable !== undefined) return row.keyVariable.replace(/_[A-Z]+(_[A-Z]+)?$/, '');
  const labels = partsOfUrl(url).host.replace(/:\d+$/, '').split('.');
  const isAddress = labels.every((label) => /^\d+$/.test(label)) || labels.length < 2;
  const label = isAddress ? 'local' : (labels.at(-2) ?? 'local');
  const name = label.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase();
  return /^[A-Z]/.test(name) ? name : `API_${name}`;
}

interface Content {
  target: Record<string, unknown>;
  prompt: Record<string, unknown>;
  isConstant: boolean;
  limited: boolean;
}

function contentOf(
  request: PastedRequest | undefined,
  dialect: string,
  row: Provider | undefined,
  choices: DraftChoices,
  keys: KeyReferences,
): Content {
  const wire = getDialect(dialect);
  const isPlain = wire.name === 'sse' || wire.name === 'ndjson' || wire.name === 'raw';
  if (request?.body === undefined) {
    const isGet = request !== undefined && isPlain;
    const limited = !isGet;
    return {
      target: { model: choices.model, method: isGet && request.method === 'GET' ? 'GET' : undefined },
      prompt: promptOf(
        [{ role: 'user', content: choices.prompt ?? DEFAULT_PROMPT }],
        limited ? DRAFT_MAX_TOKENS : undefined,
      ),
      isConstant: isGet && !QUERY_PROMPT.test(request.url),
      limited,
    };
  }
  const known = isPlain ? undefined : knownRequest(wire, request, row?.requestFields);
  if (known !== undefined) {
    const { model, maxTokens, extra, requestFields } = known;
    const messages = known.messages.map((message) => ({ ...message, content: keys.inText(message.content) }));
    const asked = choices.prompt === undefined ? messages : replaced(messages, choices.prompt);
    return {
      target: { model: choices.model ?? model, extra: extra && keys.inJson(extra), requestFields },
      prompt: promptOf(asked, maxTokens),
      isConstant: false,
      limited: false,
    };
  }
  const { body, prompt } = bodyTemplate(request.body);
  const fields = typeof body === 'string' ? undefined : { ...(keys.inJson(body) as Record<string, unknown>) };
  const model = choices.model ?? (typeof fields?.model === 'string' ? fields.model : undefined);
  if (fields !== undefined && typeof fields.model === 'string') fields.model = '{{model}}';
  const written = fields ?? keys.inText(body as string);
  return {
    target: { model, method: request.method === 'POST' ? undefined : request.method, body: written },
    prompt: promptOf(
      [
        {
          role: 'user',
          content: choices.prompt ?? (prompt === undefined ? DEFAULT_PROMPT : keys.inText(prompt)),
        },
      ],
      undefined,
    ),
    isConstant: !JSON.stringify(written).includes('{{prompt}}'),
    limited: false,
  };
}

function replaced(messages: ChatRequest['messages'], content: string): ChatRequest['messages'] {
  const last = messages.findLastIndex(({ role }) => role === 'user');
  return messages.map((message, index) => (index === last ? { ...message, content } : message));
}

function promptOf(messages: ChatRequest['messages'], maxTokens: number | undefined): Record<string, unknown> {
  const [first, second] = messages;
  const name = 'prompt';
  if (messages.length === 1 && first?.role === 'user')
    return definedFields({ name, text: first.content, maxTokens });
  if (messages.length === 2 && first?.role === 'system' && second?.role === 'user')
    return definedFields({ name, system: first.content, text: second.content, maxTokens });
  return definedFields({
    name,
    messages: messages.map(({ role, content }) => ({ role, content })),
    maxTokens,
  });
}

const QUERY_PROMPT = /([?&](?:q|query|prompt|message|question|text|input|msg)=)([^&#]+)/;

function addressOf(
  url: string,
  row: Provider | undefined,
  dialect: string,
  { body, method }: Readonly<Record<string, unknown>>,
  keys: KeyReferences,
  { provider }: DraftChoices,
): Record<string, unknown> {
  const own = row?.baseUrl;
  const rest = own === undefined ? undefined : withoutStart(url, own);
  const path = getDialect(dialect).request({ messages: [], stream: true }).path.split('?', 1)[0];
  const isUsual = rest === '' || rest === '/' || rest === path;
  const named = row?.name === 'simulator' ? undefined : row?.name;
  const written = keys.inUrl(url, row?.keyVariable);
  if (row !== undefined && isUsual && body === undefined)
    return { provider: named, dialect: dialect === row.dialect ? undefined : dialect };
  const asked = method === 'GET' ? written.replace(QUERY_PROMPT, '$1{{prompt}}') : written;
  const ownsPath = getDialect(dialect).ownsPath(partsOfUrl(url).path);
  const isExact = !ownsPath && (body !== undefined || /\/([?#]|$)/.test(url));
  return {
    provider: provider ?? named,
    url: asked,
    path: isExact ? 'exact' : undefined,
    dialect: (provider ?? named) !== undefined && dialect === row?.dialect ? undefined : dialect,
  };
}

/** The key, if the request sends it as the provider or the dialect expects it. */
function authOf(
  request: PastedRequest | undefined,
  row: Provider | undefined,
  dialect: string,
  { keyVariable }: DraftChoices,
  keys: KeyReferences,
): { apiKey?: string; used?: string } {
  const scheme = authScheme(row, dialect, '');
  const usual = keyVariable ?? row?.keyVariable;
  if (scheme === 'none' || scheme === 'sigv4' || scheme === 'zhipu-jwt') return {};
  const header = scheme === 'bearer' ? 'authorization' : scheme;
  const value = request?.headers[header];
  const key = scheme === 'bearer' ? /^bearer\s+(.+)$/is.exec(value ?? '')?.[1] : value;
  if (key !== undefined) return { apiKey: keys.of(key, API_KEY, usual), used: header };
  // Without a key in the request, the provider's own variable is read.
  if (keyVariable !== undefined) return { apiKey: keys.of(`\${env:${keyVariable}}`, API_KEY) };
  return {};
}

/** Headers that a browser or a client adds by itself, and that would disturb or repeat what streambench sends. */
const OWN_HEADER =
  /^(sec-.*|accept-language|accept-encoding|cache-control|pragma|priority|dnt|connection|keep-alive|te|host|content-length|transfer-encoding|upgrade-insecure-requests|if-.*|expect|traceparent|tracestate|purpose|save-data|x-client-data)$/;

function headersOf(
  request: PastedRequest | undefined,
  dialect: string,
  used: string | undefined,
  keys: KeyReferences,
  isText: boolean,
): { headers: Record<string, string>; dropped: string[] } {
  const headers: Record<string, string> = {};
  const dropped: string[] = [];
  const own = getDialect(dialect).request({ messages: [], stream: true }).headers;
  for (const [name, value] of Object.entries(request?.headers ?? {})) {
    if (name === used || value === own[name]) continue;
    if (
      name === 'content-type' &&
      (/^application\/json\b/i.test(value) ? !isText : request?.body === undefined)
    )
      continue;
    const isUsual =
      OWN_HEADER.test(name) ||
      (name === 'accept' && /\*\/\*|application\/json/.test(value)) ||
      (name === 'user-agent' && /^curl\//.test(value)) ||
      // A page's address may contain a token.
      (name === 'referer' && value.includes('?'));
    if (isUsual) dropped.push(name);
    else headers[name] = keys.inHeader(name, value);
  }
  return { headers, dropped };
}
