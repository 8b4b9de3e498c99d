import { isCredentialName, isSecretHeader } from '../../model/redaction/secrets.ts';
import { replaceUrlSecrets } from '../../model/redaction/url-secrets.ts';
import { hasReference, reference } from '../env.ts';
import { mapScalars } from '../value-paths.ts';

/** Replaces keys by references to the environment, so that a scenario file holds none. */

/** A variable that stands for a value of a pasted request. */
export interface KeyVariable {
  name: string;
  /** The pasted value; undefined for a variable that was pasted as such. */
  value?: string;
}

// Formats of well-known keys, and JSON Web Tokens.
const KNOWN_KEY =
  /\b(?:sk|pk|rk|gsk|csk|xai|hf|r8|nvapi|pplx|fw|tvly)[-_][\w-]{12,}|\bAIza[\w-]{30,}|\bAKIA[A-Z0-9]{16}\b|\bgh[opsu]_\w{20,}|\bgithub_pat_\w{20,}|\bxox[abpr]-[\w-]{10,}|\beyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)?/g;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** True for text that may be a key: 20 or more letters and digits in a row, of both kinds, that are no UUID. */
function looksLikeKey(value: string): boolean {
  return value.split(/[\s,;:"'/?&]+/).some((part) => {
    if (part.length < 20 || UUID.test(part) || /[.]\w{2,4}$/.test(part)) return false;
    return /^[\w+/=.~-]+$/.test(part) && /\d/.test(part) && /[a-z]/i.test(part);
  });
}

/** Ends the name of the variable for the API key of a request. */
export const API_KEY = 'API_KEY';

/** Names the variables of one request. The same value has one variable. */
export class KeyReferences {
  private readonly byName = new Map<string, KeyVariable>();
  private readonly prefix: string;

  /** `prefix` begins the names that are made, such as `EXAMPLE`. */
  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** The variables, in the order of their use. */
  get variables(): readonly KeyVariable[] {
    return [...this.byName.values()];
  }

  /**
   * A reference in place of a value. A value that contains a reference stays. `what` ends the name of the variable, unless
   * the caller knows its usual name.
   */
  of(value: string, what: string, usual?: string): string {
    if (hasReference(value)) {
      for (const [, name = ''] of value.matchAll(/\$\{env:(\w+)/g)) this.keep({ name });
      return value;
    }
    const known = this.variables.find((one) => one.value === value);
    if (known !== undefined) return reference(known.name);
    const wanted = usual ?? `${this.prefix}_${upperSnake(what)}`;
    let name = wanted;
    for (let number = 2; this.byName.has(name); number++) name = `${wanted}_${number}`;
    this.keep({ name, value });
    return reference(name);
  }

  /** The secrets of a URL: a password, parameters with the name of a credential, parts that look like keys. */
  inUrl(url: string, variable?: string): string {
    const [, address = '', query = ''] = /^([^?]*)(.*)$/s.exec(url) ?? [];
    const path = address.replaceAll(/(?<=[^:/]\/)[^/]+/g, (part) =>
      looksLikeKey(part) && !/^[\da-f]+$/i.test(part) ? this.of(part, 'URL_KEY') : part,
    );
    return this.inText(replaceUrlSecrets(path + query, (value) => this.of(value, 'URL_KEY', variable)));
  }

  /** The value of a header. */
  inHeader(name: string, value: string): string {
    const isSecret = isCredentialName(name) || (isSecretHeader(name) && looksLikeKey(value));
    if (!isSecret) return this.inText(value);
    const [, scheme = '', credential = value] =
      /^((?:bearer|basic|token|apikey|key)\s+)(.+)$/is.exec(value) ?? [];
    const what = /^basic/i.test(scheme) ? 'BASIC_AUTH' : name === 'authorization' ? API_KEY : name;
    return scheme + this.of(credential, what);
  }

  /** A JSON value: fields named like credentials, and texts that look like keys. */
  inJson(value: unknown): unknown {
    return mapScalars(value, (scalar, path) => {
      if (typeof scalar !== 'string') return scalar;
      const key = String(path.findLast((part) => typeof part === 'string') ?? '');
      const isSecret = CREDENTIAL_FIELD.test(key) && scalar.length >= 6;
      return isSecret ? this.of(scalar, key) : this.inText(scalar);
    });
  }

  /** A text that is not a key as a whole. */
  inText(text: string): string {
    const known = this.variables.reduce(
      (result, { name, value }) =>
        value !== undefined && value.length >= 6 ? result.replaceAll(value, reference(name)) : result,
      text,
    );
    return known.replaceAll(KNOWN_KEY, (key) => this.of(key, 'KEY'));
  }

  private keep(variable: KeyVariable): void {
    if (!this.byName.has(variable.name)) this.byName.set(variable.name, variable);
  }
}

// Stricter than isCredentialName, which also matches stop_token and tokenizer.
const CREDENTIAL_FIELD =
  /^(x|user|app)?[-_]?(api|access|secret|auth|id|session|refresh|csrf|xsrf)?[-_]?(key|token|secret|password|passwd|authorization|credentials?|jwt|signature)$/i;

function upperSnake(text: string): string {
  return text
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toUpperCase();
}
