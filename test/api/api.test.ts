import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/program.ts';

// The declarations of every public name, so that a change of the interface is a change in review. `npx vitest run test/api -u`
// writes them after a build.

const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types?: string }>;
};
const ENTRIES = Object.entries(exports).flatMap(([entry, target]) =>
  typeof target === 'string' || target.types === undefined ? [] : [{ entry, types: target.types }],
);

const read = (file: string) =>
  readFileSync(join(ROOT, file), 'utf8').replaceAll(/^\s*\/\*\*.*?\*\/\n/gms, '');

/** Public name -> its declaration, through the modules that pass it on. */
function namesOf(file: string): Map<string, string> {
  const text = read(file);
  const names = new Map<string, string>();
  for (const [, list = '', from = ''] of text.matchAll(/^export (?:type )?\{([^}]*)\} from '(\.[^']+)'/gms)) {
    const source = namesOf(join(dirname(file), from.replace(/\.(ts|js)$/, '.d.ts')));
    for (const item of list.split(',')) {
      const [name = '', alias = name] = item
        .trim()
        .replace(/^type /, '')
        .split(/ as /);
      if (name !== '') names.set(alias, source.get(name) ?? `unresolved ${name}`);
    }
  }
  // A declaration ends where the next statement begins.
  for (const statement of text.split(
    /^(?=export |declare |interface |type |class |import |const |function )/m,
  )) {
    const [, name] =
      /^export (?:declare )?(?:abstract )?(?:interface|type|const|function|class) (\w+)/.exec(statement) ??
      [];
    if (name !== undefined) names.set(name, `${names.get(name) ?? ''}${statement.trim()}\n`);
  }
  return names;
}

test.each(ENTRIES)('$entry exports what the report says', async ({ entry, types }) => {
  const names = namesOf(types);
  expect(names.size).toBeGreaterThan(0);
  expect([...names].filter(([, text]) => text.startsWith('unresolved'))).toEqual([]);
  const report = [...names.keys()].sort().map((name) => names.get(name)?.trim());
  const file = `${entry === '.' ? 'streambench' : entry.slice(2).replaceAll('/', '-')}.d.ts.txt`;
  await expect(`${report.join('\n\n')}\n`).toMatchFileSnapshot(join(import.meta.dirname, file));
});
