import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Problem } from '../model/errors.ts';
import { valueAt } from './paths.ts';
import type { Finding } from './problems.ts';
import { nearbyFiles } from './prompts.ts';

/** What is wrong with the files of authorities that a document's targets name; `folder` is where relative paths begin. */
export function authorityFindings(document: unknown, folder: string): Finding[] {
  const targets = valueAt(document, ['targets']);
  return (Array.isArray(targets) ? [...targets.keys()] : []).flatMap((index): Finding[] => {
    const path = ['targets', index, 'ca'];
    const file = valueAt(document, path);
    const read = typeof file === 'string' && file !== '' ? readAuthorities(resolve(folder, file)) : '';
    return typeof read === 'string' ? [] : [{ path, at: 'value', message: read.message, hint: read.hint }];
  });
}

const BEGIN = '-----BEGIN CERTIFICATE-----';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** The PEM text of a file of authorities, or what is wrong with it. */
export function readAuthorities(path: string): string | Problem {
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
