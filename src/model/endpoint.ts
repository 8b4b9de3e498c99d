/** Where a request went, for telemetry: of its URL only the host and the port. */
export interface Endpoint {
  /** Name of a provider, such as `openai`; `custom` if it is not known. */
  provider: string;
  /** Name of a dialect, such as `openai-chat`. */
  dialect: string;
  model?: string;
  host?: string;
  port?: number;
}

/** Host and port of a URL. Undefined if the text is not a URL. */
export function hostAndPort(text: string): { host: string; port: number } | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}
