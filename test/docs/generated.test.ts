import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/program.ts';
import { DOCUMENTS } from './documents.ts';
import { regenerate } from './generators.ts';

const generated = DOCUMENTS.filter(({ text }) => text.includes('<!-- generated: '));

test('the search finds the pages with generated parts', () => {
  expect(generated.length).toBeGreaterThan(5);
});

// `npm run docs` writes the pages.
test.each(generated)('$path holds what the program prints today', async ({ path, text }) => {
  await expect(await regenerate(text)).toMatchFileSnapshot(join(ROOT, path));
});
