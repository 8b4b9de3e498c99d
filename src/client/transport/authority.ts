import { errorMessage, UserError } from '../../model/errors.ts';
import { nodeModule } from '../../model/node-modules.ts';

/** Throws a `UserError` for certificates that cannot be read. OpenSSL skips them, and the connection would fail for another reason. */
export function checkAuthority(ca: string): void {
  try {
    const certificates = ca.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
    if (certificates.length === 0) throw new Error('it contains no certificate');
    const crypto = nodeModule('node:crypto');
    for (const certificate of certificates) if (crypto !== undefined) new crypto.X509Certificate(certificate);
  } catch (error) {
    throw new UserError('usage', {
      message: `ca cannot be read: ${errorMessage(error)}`,
      hint: 'give certificates as PEM: text that begins with -----BEGIN CERTIFICATE-----',
    });
  }
}
