import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createAuthenticator, createToken } from '../../../src/service/http/auth.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const SECRET = 'a secret that is long enough for HS256';
const clock = new FakeClock();
const authenticate = createAuthenticator(SECRET, clock);
const bearer = async (token: string | Promise<string>) => authenticate(`Bearer ${await token}`);
const refusal = (code: string) => expect.objectContaining({ status: 401, code });

describe('authentication', () => {
  test('a token with the right signature names its subject', async () => {
    expect(await bearer(createToken(SECRET, { subject: 'ada', clock }))).toEqual({ subject: 'ada' });
    expect(await authenticate(`bearer  ${await createToken(SECRET, { clock })}`)).toEqual({ subject: 'dev' });
  });

  test.each([undefined, '', 'Bearer', 'Basic YTpi', 'Bearer two words'])('no token in %j', async (header) => {
    await expect(authenticate(header)).rejects.toEqual(refusal('token_missing'));
  });

  test('another secret, another algorithm, no signature, no token at all', async () => {
    const key = new TextEncoder().encode(SECRET.padEnd(64, 'x'));
    const strong = new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg: 'HS512' }).sign(key);
    const wrong = [
      createToken('quite another secret, as long as it is', { clock }),
      strong,
      new UnsecuredJWT({ sub: 'ada' }).encode(),
      'nonsense',
      `${await createToken(SECRET, { clock })}x`,
    ];
    for (const token of wrong) await expect(bearer(token)).rejects.toEqual(refusal('token_invalid'));
  });

  test('an expired token, also one that was valid before', async () => {
    await expect(bearer(createToken(SECRET, { expiresInSeconds: -1, clock }))).rejects.toEqual(
      refusal('token_expired'),
    );
    const short = await createToken(SECRET, { expiresInSeconds: 60, clock });
    await bearer(short);
    await clock.advance(59_000);
    await bearer(short);
    await clock.advance(2_000);
    await expect(bearer(short)).rejects.toEqual(refusal('token_expired'));
  });
});
