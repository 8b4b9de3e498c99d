import { UserError } from '../model/errors.ts';

/** What the message store uses of a SQLite binding. Values are bound by position. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

/** A prepared statement. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): { lastInsertRowid: number | bigint };
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
}

type SqliteValue = string | number | null;

/** Opens a database file, or `:memory:`. */
export type OpenSqlite = (file: string) => SqliteDatabase;

/** How a binding is found: `builtin` returns undefined for a module that this Node.js does not have. */
export interface SqliteSources {
  builtin(name: string): unknown;
  load(name: string): Promise<unknown>;
}

const SOURCES: SqliteSources = {
  builtin: withoutWarnings((name) => process.getBuiltinModule(name)),
  // In a variable, because an installed package need not have it.
  load: (name) => import(name),
};

/**
 * Finds SQLite: the one that Node.js has built in since 22.13, else the optional package `libsql`. Throws a `UserError`
 * (`usage`) when there is neither.
 *
 * `node-sqlite3-wasm` would need neither and was measured: no WAL, 26 ms for a write (0.07 ms with libsql, 0.13 ms with
 * `node:sqlite`), and after SIGKILL within a transaction its lock stays, so the file cannot be opened again.
 */
export async function loadSqlite({ builtin, load }: SqliteSources = SOURCES): Promise<OpenSqlite> {
  const native = builtin('node:sqlite') as { DatabaseSync: new (file: string) => SqliteDatabase } | undefined;
  if (native !== undefined) return (file) => new native.DatabaseSync(file);
  try {
    const { default: Libsql } = (await load('libsql')) as { default: new (file: string) => SqliteDatabase };
    return (file) => new Libsql(file);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n', 1);
    throw new UserError('usage', {
      message: `the message store needs SQLite: Node.js ${process.versions.node} has none built in, and the package libsql cannot be loaded: ${reason}`,
      hint: 'use Node.js 22.13 or newer, or install the package: npm install libsql; with npx: npx -p streambench -p libsql streambench ...',
    });
  }
}

/** Node.js 22 prints an ExperimentalWarning when `node:sqlite` is loaded. It would stand between the lines of the log. */
function withoutWarnings<T, R>(work: (argument: T) => R): (argument: T) => R {
  return (argument) => {
    const { emitWarning } = process;
    process.emitWarning = () => {};
    try {
      return work(argument);
    } finally {
      process.emitWarning = emitWarning;
    }
  };
}
