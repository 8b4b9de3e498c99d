import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type ErrorCode, type Problem, UserError } from '../model/errors.ts';
import type { ConnectOptions } from '../model/plan.ts';
import type { LoadedScenario } from './parse.ts';
import { nearbyFiles } from './prompts.ts';
import type { ScenarioTarget } from './target-schema.ts';

/**
 * How connections to each target are made, in the order of the targets; undefined where all is at its default. Reads the
 * files of authorities. Throws a `UserError` with every problem and its place.
 */
export function connectOptions(loaded: LoadedScenario): (ConnectOptions | undefined)[] {
  const problems: Problem[] = [];
  const folder = dirname(resolve(loaded.file));
  const { targets, connection } = loaded.scenario;
  const options = targets.map((target, index) => {
    const add = (key: string, problem: Problem) =>
      problems.push({ ...problem, place: loaded.placeOf(['targets', index, key]) });
    const ca = target.ca === undefined ? undefined : readAuthorities(resolve(folder, target.ca));
    if (typeof ca === 'object') add('ca', ca);
    return present({
      ...pick(target),
      connection: connection === 'warm' ? undefined : connection,
      ip: target.ip === 'auto' ? undefined : target.ip,
      unix: target.unix === undefined ? undefined : resolve(folder, target.unix),
      ca: typeof ca === 'string' ? ca : undefined,
    });
  });
  const code: ErrorCode = 'scenario_invalid';
  if (problems.length > 0) throw new UserError(code, problems);
  return options;
}

function pick({ http, streamsPerSession, insecure, proxy, dns, resolve: pins }: ScenarioTarget) {
  return { http, streamsPerSession, insecure, proxy, dns, resolve: pins };
}

const BEGIN = '-----BEGIN CERTIFICATE-----';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** The PEM text of a file of authorities, or what is wrong with it. */
function readAuthorities(path: string): string | Problem {
  let pem: string;
  try {
    pem = readFileSync(path, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const near = code === 'ENOENT' ? nearbyFiles(path) : [];
    return {
      message: code === 'ENOENT' ? `there is no file ${path}` : `cannot read ${path} (${code})`,
      ...(near.length > 0 ? { hint: `did you mean ${near.join(' or ')}?` } : {}),
    };
  }
  const certificates = pem.match(CERTIFICATE) ?? [];
  const broken = certificates.findIndex((certificate) => !isCertificate(certificate));
  if (certificates.length > 0 && broken === -1) return pem;
  if (broken !== -1) {
    const which = certificates.length === 1 ? 'the certificate' : `certificate ${broken + 1}`;
    return { message: `${which} in ${path} cannot be read`, hint: 'it may have been cut: export it again' };
  }
  return {
    message: `${path} holds no certificate${pem.includes('PRIVATE KEY-----') ? ', but a private key' : ''}`,
    hint: `give the authority's certificate as PEM: a text file that begins with ${BEGIN}`,
  };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== null;
  } catch {
    return false;
  }
}

function present(options: { [K in keyof ConnectOptions]: ConnectOptions[K] | undefined }) {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined && value !== false);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as ConnectOptions);
}
