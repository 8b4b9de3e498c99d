import type { Clock } from '../model/clock.ts';
import { errorMessage, UserError } from '../model/errors.ts';
import type { Message } from '../model/request.ts';
import { asObject, parseJson } from '../wire/json.ts';
import { loadSqlite, type SqliteDatabase, type SqliteStatement } from './sqlite.ts';
import type { AnswerUsage } from './usage-cost.ts';

/** A user's conversation. */
export interface Conversation {
  /** The `sub` of the caller's token. */
  owner: string;
  session: string;
}

/** An assistant's message as it is written, during the stream and at its end. */
export interface AssistantText {
  content: string;
  thinking: string;
  /** The answer is not complete. */
  partial: boolean;
  /** Why it is partial: `in_progress` while the stream runs. */
  reason?: string;
  model?: string;
  usage?: AnswerUsage;
}

/** A message as it is read from the store. */
export interface StoredMessage {
  id: number;
  role: 'user' | 'assistant';
  content: string;
  /** The reasoning, if the model sent any. */
  thinking?: string;
  /** Present when the answer is not complete. */
  partial?: true;
  /**
   * Why it is not complete: `upstream_error: ...`, `client_gone`, `client_stalled`,
   * `too_large`, `timeout`, `cancelled`, `shutdown`, `internal_error`, `in_progress`, `crashed`.
   */
  reason?: string;
  model?: string;
  /** Token counts as stated by the model, and their cost; absent if it stated none. */
  usage?: AnswerUsage;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601; the time of the last write. */
  updatedAt: string;
}

/** Messages and agents' memories. Each call is one transaction, committed when the call returns. */
export interface MessageStore {
  addUser(conversation: Conversation, content: string): number;
  addAssistant(conversation: Conversation, text: AssistantText): number;
  updateAssistant(id: number, text: AssistantText): void;
  /** The last messages, oldest first: at most `limit`, and at most `maxCharacters` in all, but always at least one. */
  messages(conversation: Conversation, limit: number, maxCharacters?: number): StoredMessage[];
  /** What an agent has stored about this user; undefined if nothing. */
  memory(owner: string, agent: string): unknown;
  saveMemory(owner: string, agent: string, memory: unknown): void;
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    session TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    content TEXT NOT NULL,
    thinking TEXT NOT NULL DEFAULT '',
    partial INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    model TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cost_usd REAL
  );
  CREATE INDEX IF NOT EXISTS messages_by_session ON messages (owner, session, id);
  CREATE TABLE IF NOT EXISTS memories (
    owner TEXT NOT NULL,
    agent TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (owner, agent)
  );`;

/**
 * Opens the store in a SQLite file, which is created if it does not exist, or in memory (`:memory:`). Answers that a
 * process left unfinished when it died get the reason `crashed`. Rejects with a `UserError` when the file cannot be
 * opened, or when there is no SQLite (see `loadSqlite`).
 */
export async function openStore(file: string, clock: Clock): Promise<MessageStore> {
  const open = await loadSqlite();
  let database: SqliteDatabase | undefined;
  try {
    database = open(file);
    database.exec('PRAGMA busy_timeout = 2000');
    // WAL with NORMAL: a commit is one write to the log that does not wait for the disk. It survives the death of this
    // process at any moment. Only a power failure could lose the last commits, and it would not corrupt the file.
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = NORMAL');
    database.exec(SCHEMA);
    addMissingColumns(database);
    database.exec("UPDATE messages SET reason = 'crashed' WHERE partial = 1 AND reason = 'in_progress'");
    return new SqliteStore(database, clock);
  } catch (error) {
    database?.close();
    throw new UserError('output_unwritable', {
      message: `cannot open the message store ${file}: ${errorMessage(error)}`,
      hint: 'choose a file in an existing folder that can be written',
    });
  }
}

/** Adds the columns that a file of an earlier version does not have. */
function addMissingColumns(database: SqliteDatabase): void {
  const rows = database.prepare('PRAGMA table_info(messages)').all() as { name: string }[];
  const known = new Set(rows.map(({ name }) => name));
  for (const column of ['input_tokens INTEGER', 'output_tokens INTEGER', 'cost_usd REAL']) {
    const [name = ''] = column.split(' ', 1);
    if (!known.has(name)) database.exec(`ALTER TABLE messages ADD COLUMN ${column}`);
  }
}

class SqliteStore implements MessageStore {
  private readonly database: SqliteDatabase;
  private readonly clock: Clock;
  private readonly insert: SqliteStatement;
  private readonly update: SqliteStatement;
  private readonly select: SqliteStatement;
  private readonly selectMemory: SqliteStatement;
  private readonly upsertMemory: SqliteStatement;

  constructor(database: SqliteDatabase, clock: Clock) {
    this.database = database;
    this.clock = clock;
    this.insert = database.prepare(
      `INSERT INTO messages (owner, session, role, content, thinking, partial, reason, model, input_tokens, output_tokens, cost_usd, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.update = database.prepare(
      'UPDATE messages SET content = ?, thinking = ?, partial = ?, reason = ?, model = ?, input_tokens = ?, output_tokens = ?, cost_usd = ?, updated_at = ? WHERE id = ?',
    );
    this.select = database.prepare(
      `SELECT * FROM (
         SELECT *, SUM(LENGTH(content) + LENGTH(thinking)) OVER (ORDER BY id DESC) AS total, ROW_NUMBER() OVER (ORDER BY id DESC) AS position
         FROM (SELECT * FROM messages WHERE owner = ? AND session = ? ORDER BY id DESC LIMIT ?)
       ) WHERE total <= ? OR position = 1 ORDER BY id DESC`,
    );
    this.selectMemory = database.prepare('SELECT data FROM memories WHERE owner = ? AND agent = ?');
    this.upsertMemory = database.prepare(
      `INSERT INTO memories (owner, agent, data) VALUES (?, ?, ?)
       ON CONFLICT (owner, agent) DO UPDATE SET data = excluded.data`,
    );
  }

  addUser(conversation: Conversation, content: string): number {
    return this.add(conversation, 'user', { content, thinking: '', partial: false });
  }

  addAssistant(conversation: Conversation, text: AssistantText): number {
    return this.add(conversation, 'assistant', text);
  }

  updateAssistant(id: number, text: AssistantText): void {
    this.update.run(text.content, text.thinking, ...stateOf(text), this.now(), id);
  }

  messages(
    { owner, session }: Conversation,
    limit: number,
    maxCharacters = Number.MAX_SAFE_INTEGER,
  ): StoredMessage[] {
    return (this.select.all(owner, session, limit, maxCharacters) as MessageRow[]).map(toMessage).reverse();
  }

  memory(owner: string, agent: string): unknown {
    const row = asObject(this.selectMemory.get(owner, agent));
    return typeof row?.data === 'string' ? parseJson(row.data) : undefined;
  }

  saveMemory(owner: string, agent: string, memory: unknown): void {
    this.upsertMemory.run(owner, agent, JSON.stringify(memory));
  }

  close(): void {
    this.database.close();
  }

  private add({ owner, session }: Conversation, role: string, text: AssistantText): number {
    const { content, thinking } = text;
    const now = this.now();
    return Number(
      this.insert.run(owner, session, role, content, thinking, ...stateOf(text), now, now).lastInsertRowid,
    );
  }

  private now(): string {
    return this.clock.wallTime().toISOString();
  }
}

/** The columns from `partial` to `cost_usd`. */
function stateOf({ partial, reason, model, usage }: AssistantText): (string | number | null)[] {
  const { inputTokens, outputTokens, costUsd } = usage ?? {};
  return [
    partial ? 1 : 0,
    reason ?? null,
    model ?? null,
    inputTokens ?? null,
    outputTokens ?? null,
    costUsd ?? null,
  ];
}

interface MessageRow {
  id: number;
  role: 'user' | 'assistant';
  content: string;
  thinking: string;
  partial: number;
  reason: string | null;
  model: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_usd: number | null;
  created_at: string;
  updated_at: string;
}

function toMessage(row: MessageRow): StoredMessage {
  return {
    id: row.id,
    role: row.role,
    content: row.content,
    thinking: row.thinking || undefined,
    partial: row.partial === 0 ? undefined : true,
    reason: row.reason ?? undefined,
    model: row.model ?? undefined,
    usage: usageOfRow(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function usageOfRow({ input_tokens, output_tokens, cost_usd }: MessageRow): AnswerUsage | undefined {
  if (input_tokens === null && output_tokens === null) return undefined;
  return {
    inputTokens: input_tokens ?? undefined,
    outputTokens: output_tokens ?? undefined,
    costUsd: cost_usd ?? undefined,
  };
}

/** Stored messages as they are sent to a model. Answers without text are left out. */
export function toHistory(messages: readonly StoredMessage[]): Message[] {
  return messages.filter(({ content }) => content !== '').map(({ role, content }) => ({ role, content }));
}
