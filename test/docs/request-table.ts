import type { ChatRequest, Message } from '../../src/model/request.ts';
import type { Dialect } from '../../src/wire/dialect.ts';
import { apiDialects } from '../../src/wire/dialects/index.ts';
import { asObject } from '../../src/wire/json.ts';
import { type CheckedField, expresses } from '../../src/wire/request-check.ts';

// The table of docs/requests.md: each field is put into a request, and where the body changes is its place in the dialect.

const USER: Message = { role: 'user', content: 'hi' };
const BASE: ChatRequest = { model: 'm', messages: [USER], stream: true };
const CALL = { id: 'c', name: 'f', arguments: '{}' };

const WITH: Readonly<Record<CheckedField | 'system', Partial<ChatRequest>>> = {
  system: { messages: [{ role: 'system', content: 's' }, USER] },
  image: { messages: [{ ...USER, media: [{ kind: 'image', mediaType: 'image/png', data: 'QQ==' }] }] },
  audio: { messages: [{ ...USER, media: [{ kind: 'audio', mediaType: 'audio/wav', data: 'QQ==' }] }] },
  tools: { tools: [{ name: 'f', parameters: {} }] },
  toolResults: {
    messages: [
      USER,
      { role: 'assistant', content: '', toolCalls: [CALL] },
      { role: 'tool', content: 'r', call: CALL },
    ],
  },
  schema: { answerSchema: { name: 'a', schema: { type: 'object' } } },
  maxTokens: { maxTokens: 5 },
  temperature: { temperature: 0.5 },
  stop: { stop: ['x'] },
  n: { n: 2 },
  seed: { seed: 7 },
  reasoningEffort: { reasoningEffort: 'low' },
};

const FIELDS: readonly [field: CheckedField | 'system', title: string][] = [
  ['system', '`system`'],
  ['image', '`media` (image)'],
  ['audio', '`media` (audio)'],
  ['tools', '`tools`'],
  ['toolResults', '`toolCalls`, `call`'],
  ['schema', '`answerSchema`'],
  ['maxTokens', '`maxTokens`'],
  ['temperature', '`temperature`'],
  ['stop', '`stop`'],
  ['n', '`n`'],
  ['seed', '`seed`'],
  ['reasoningEffort', '`reasoningEffort`'],
];

/** One table for each dialect that has options, with the place of each field in its body; a dash is a `UserError`. */
export function requestTable(): string {
  const dialects = [...apiDialects()].filter(
    ({ name, options }) => options !== undefined && name !== 'gemini-array',
  );
  const rows = dialects.map((dialect) => {
    const cells = FIELDS.map(([field]) => place(dialect, field));
    return `| \`${dialect.name}\` | ${cells.join(' | ')} |`;
  });
  const head = FIELDS.map(([, title]) => title).join(' | ');
  return [`| dialect | ${head} |`, `| --- |${' --- |'.repeat(FIELDS.length)}`, ...rows].join('\n');
}

function place(dialect: Dialect, field: CheckedField | 'system'): string {
  if (field !== 'system' && !expresses(dialect, field)) return '–';
  const base = leaves(JSON.parse(dialect.request(BASE).body ?? '{}'));
  const found = leaves(JSON.parse(dialect.request({ ...BASE, ...WITH[field] }).body ?? '{}'));
  const changed = [...found].filter(([path, value]) => base.get(path) !== value).map(([path]) => path);
  const isJoined =
    field === 'system' && changed.every((path) => base.has(path)) && !changed.some((path) => /\[/.test(path));
  if (isJoined) return 'in the prompt';
  // The fields that the change has in common with no other part of the body.
  const places = new Set(
    changed.map((path) =>
      path
        .split('.')
        .slice(0, 2)
        .join('.')
        .replace(/\.type$/, ''),
    ),
  );
  return [...places]
    .slice(0, 2)
    .map((path) => `\`${path}\``)
    .join(', ');
}

/** Path -> value of each leaf. The elements of a list are one path. */
function leaves(value: unknown, path = ''): Map<string, string> {
  const object = asObject(value);
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((item) => [`${path}[]`, item])
    : object !== undefined
      ? Object.entries(object).map(([key, item]) => [path === '' ? key : `${path}.${key}`, item])
      : [];
  if (entries.length === 0) return new Map([[path, JSON.stringify(value)]]);
  const all = new Map<string, string>();
  for (const [at, item] of entries)
    for (const [leaf, text] of leaves(item, at)) all.set(leaf, `${all.get(leaf) ?? ''}${text}`);
  return all;
}
