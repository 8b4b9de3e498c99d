import { expect, test } from 'vitest';
import { isInstalled } from './installed.ts';

const lock = {
  packages: {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b-linux': { version: '2.0.0', optional: true },
  },
};
const found = (version: string) => ({ packages: { 'node_modules/a': { version } } });

test('the peers are there when each is, in the version of the lock file', () => {
  expect(isInstalled(lock, found('1.0.0'))).toBe(true);
  expect(isInstalled(lock, found('1.0.1'))).toBe(false);
  expect(isInstalled(lock, { packages: {} })).toBe(false);
  expect(isInstalled(lock, undefined)).toBe(false);
  expect(isInstalled(undefined, found('1.0.0'))).toBe(false);
});
