/** A request that the user has pasted: from a curl command or a HAR file. */
export interface PastedRequest {
  method: string;
  /** May contain references to the environment, as all texts here. */
  url: string;
  /** Names in lower case; the last of several with the same name. */
  headers: Readonly<Record<string, string>>;
  body?: string;
  /** Fields of the scenario's target for the connection, such as `insecure`. */
  connection: Readonly<Record<string, unknown>>;
  /** The response that was recorded with the request. */
  response?: HarResponse;
}

/** A response in a HAR file. */
export interface HarResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Path and query of a URL that may contain references to the environment, also in place of its beginning. */
export function partsOfUrl(url: string): { host: string; path: string; query: URLSearchParams } {
  const text = url.replaceAll(/\$\{env:(\w+)[^}]*\}/g, '$1');
  const whole = URL.canParse(text) ? text : `http://${text.replace(/^[a-z]+:\/\//i, '')}`;
  if (!URL.canParse(whole)) return { host: 'target', path: '', query: new URLSearchParams() };
  const { host, pathname, searchParams } = new URL(whole);
  return { host, path: pathname, query: searchParams };
}
