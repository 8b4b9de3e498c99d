import { X509Certificate } from 'node:crypto';
import type { Problem } from '../model/errors.ts';
import { MAX_CERTIFICATES_BYTES, type ReadNamedFile } from './files.ts';
import type { Finding } from './problems.ts';
import { type Path, valueAt } from './value-paths.ts';

/** The certificate files of the targets. */
interface AuthorityFiles {
  /** PEM texts, by the path in the scenario. */
  texts: ReadonlyMap<string, string>;
  findings: Finding[];
}

/** Reads the certificate files (`ca`) of all targets in a document. */
export function readAuthorities(document: unknown, read: ReadNamedFile): AuthorityFiles {
  const texts = new Map<string, string>();
  const findings: Finding[] = [];
  const targets = valueAt(document, ['targets']);
  for (const index of Array.isArray(targets) ? targets.keys() : []) {
    const at: Path = ['targets', index, 'ca'];
    const file = valueAt(document, at);
    if (typeof file !== 'string' || file === '' || texts.has(file)) continue;
    const content = read({ at, file, what: 'file', maxBytes: MAX_CERTIFICATES_BYTES });
    const pem = Buffer.isBuffer(content) ? certificatesIn(file, content.toString('latin1')) : content;
    if (typeof pem === 'string') texts.set(file, pem);
    else findings.push({ path: at, at: 'value', message: pem.message, hint: pem.hint });
  }
  return { texts, findings };
}

const BEGIN = '-----BEGIN CERTIFICATE-----';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** The PEM text itself if all its certificates can be read, else its problem. */
function certificatesIn(path: string, pem: string): string | Problem {
  const certificates = pem.match(CERTIFICATE) ?? [];
  const broken = certificates.findIndex((certificate) => !isCertificate(certificate));
  if (certificates.length > 0 && broken === -1) return pem;
  if (broken !== -1) {
    const which = certificates.length === 1 ? 'the certificate' : `certificate ${broken + 1}`;
    return {
      message: `${which} in ${path} cannot be read`,
      hint: 'the file may be truncated: export it again',
    };
  }
  return {
    message: `${path} contains no certificate${pem.includes('PRIVATE KEY-----') ? ', but a private key' : ''}`,
    hint: `use the CA certificate in PEM format: a text file that starts with ${BEGIN}`,
  };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== null;
  } catch {
    return false;
  }
}
