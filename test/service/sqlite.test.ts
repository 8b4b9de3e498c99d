import { describe, expect, test } from 'vitest';
import { loadSqlite } from '../../src/service/sqlite.ts';

/** A binding that shows which one it is. */
const named = (name: string) =>
  class {
    readonly name: string;
    constructor(file: string) {
      this.name = `${name} ${file}`;
    }
  };

const libsql = async () => ({ default: named('libsql') });

describe('SQLite is found', () => {
  test('in Node.js, if it is built in', async () => {
    const asked: string[] = [];
    const builtin = (name: string) => {
      asked.push(name);
      return { DatabaseSync: named('built-in') };
    };
    const open = await loadSqlite({ builtin, load: libsql });
    expect(open('file.db')).toMatchObject({ name: 'built-in file.db' });
    expect(asked).toEqual(['node:sqlite']);
  });

  test('in the package libsql, if Node.js has none', async () => {
    const open = await loadSqlite({ builtin: () => undefined, load: libsql });
    expect(open('file.db')).toMatchObject({ name: 'libsql file.db' });
  });

  test('nowhere: the error has a cause and a remedy', async () => {
    const load = async () => {
      throw new Error("Cannot find package 'libsql' imported from store.js\nat somewhere");
    };
    const failure = loadSqlite({ builtin: () => undefined, load });
    await expect(failure).rejects.toMatchObject({
      code: 'usage',
      problems: [
        {
          message: expect.stringMatching(
            /^the message store needs SQLite: Node\.js [\d.]+ .*Cannot find package 'libsql' imported from store\.js$/,
          ),
          hint: expect.stringContaining('npm install libsql'),
        },
      ],
    });
  });

  test('without a warning on stderr', async () => {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error) => void warnings.push(message);
    process.on('warning', onWarning);
    const open = await loadSqlite();
    const database = open(':memory:');
    expect(database.prepare('SELECT 1 + 1 AS two').get()).toMatchObject({ two: 2 });
    database.close();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});
