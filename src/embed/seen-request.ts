import { type Endpoint, hostAndPort } from '../model/endpoint.ts';
import { isCredentialName, type Secret } from '../model/redaction/secrets.ts';
import { percentDecoded, urlSecrets } from '../model/redaction/url-secrets.ts';
import { asObject, asText, parseJson } from '../wire/json.ts';
import { PROVIDERS } from '../wire/providers.ts';

/** A request as another library sends it. */
export interface SeenRequest {
  url: string;
  method: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** Undefined if the body is not text, is too large to be read here, or was not written yet. */
  body?: string;
}

/** What a request asks for. */
export interface Asked {
  model?: string;
  /** Undefined if the request does not say. */
  stream?: boolean;
}

/** Larger bodies are not parsed: it would take milliseconds of the application's time. */
export const MAX_PARSED_CHARS = 262_144;

// Gemini, Vertex and Bedrock name the model and the operation in the path.
const PATH = /\/models?\/([^/:]+)[:/]([\w-]+)$/;

/** The model and the mode that a request asks for, by its body and its path. */
export function askedOf({ url, body }: SeenRequest): Asked {
  const asked: Asked = {};
  const [, model, operation = ''] = PATH.exec(url.replace(/[?#].*$/s, '')) ?? [];
  if (model !== undefined) {
    asked.model = percentDecoded(model);
    if (/generateContent|converse/i.test(operation)) asked.stream = /stream/i.test(operation);
  }
  if (body === undefined || body.length > MAX_PARSED_CHARS) return asked;
  const json = asObject(parseJson(body));
  asked.model = asText(json?.model) ?? asked.model;
  if (typeof json?.stream === 'boolean') asked.stream = json.stream;
  return asked;
}

/** The endpoint of a request. */
export function endpointOf(url: string, dialect: string, model: string | undefined): Endpoint {
  const address = hostAndPort(url);
  return { provider: providerOf(address?.host ?? '', dialect), dialect, model, ...address };
}

// Providers whose users have addresses of their own.
const HOSTS: readonly [RegExp, string][] = [
  [/\.openai\.azure\.com$/, 'azure-openai'],
  [/aiplatform\.googleapis\.com$/, 'vertex'],
  [/^bedrock-runtime\..*\.amazonaws\.com$/, 'bedrock'],
];

/** The provider that an API is named after: for services at other addresses that are compatible with it. */
const API_OF: readonly [RegExp, string][] = [
  [/^openai-/, 'openai'],
  [/^anthropic$/, 'anthropic'],
  [/^gemini/, 'gemini'],
  [/^cohere$/, 'cohere'],
  [/^ollama-/, 'ollama'],
  [/^bedrock-/, 'bedrock'],
];

function providerOf(host: string, dialect: string): string {
  // A loopback address is where several providers run.
  const isPublic = !/^(localhost|127\.|::1$|0\.0\.0\.0$)/.test(host);
  const row = isPublic && PROVIDERS.find(({ baseUrl }) => baseUrl && hostAndPort(baseUrl)?.host === host);
  if (row) return row.name;
  const byHost = HOSTS.find(([pattern]) => pattern.test(host));
  return (byHost ?? API_OF.find(([pattern]) => pattern.test(dialect)))?.[1] ?? 'custom';
}

// Differs in each request, so a redactor could not be reused, and gives access to nothing.
const NO_CREDENTIAL = /idempotency/;

/** The credentials that a request carries, in its headers and its URL. */
export function requestSecrets({ headers, url }: SeenRequest): Secret[] {
  const inHeaders = Object.entries(headers)
    .filter(([name]) => isCredentialName(name) && !NO_CREDENTIAL.test(name))
    .map(([name, value]) => ({ name: `[header ${name}]`, value }));
  return [...inHeaders, ...urlSecrets(url).map((value) => ({ name: '[url]', value }))];
}
