import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../src/model/events.ts';
import type { AnswerContext } from '../../src/wire/dialect.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { ThinkTags } from '../../src/wire/think-tags.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { decodeReads, encodeBytes } from './streams.ts';

/** The text and the reasoning that pieces of content add up to. */
function read(pieces: readonly string[]): { text: string; thinking: string; events: StreamEvent[] } {
  const tags = new ThinkTags();
  const events: StreamEvent[] = [];
  for (const piece of pieces) tags.text(piece, events);
  tags.flush(events);
  const { text, thinking } = gather(events);
  return { text, thinking, events };
}

const CASES: [string, string, { text: string; thinking: string }][] = [
  ['a block, then the answer', '<think>hm</think>Yes', { thinking: 'hm', text: 'Yes' }],
  [
    'white space before and after',
    '\n<think>\nhm\n</think>\n\nYes',
    { thinking: '\nhm\n', text: '\n\n\nYes' },
  ],
  ['an empty block', '<think></think>Yes', { thinking: '', text: 'Yes' }],
  ['two blocks in a row', '<think>a</think>\n<think>b</think>c', { thinking: 'ab', text: '\nc' }],
  ['a block that never ends', '<think>hm, well', { thinking: 'hm, well', text: '' }],
  ['half an end', '<think>hm</thi', { thinking: 'hm</thi', text: '' }],
  ['half a beginning', '<thin', { thinking: '', text: '<thin' }],
  ['other tags in the block', '<think>a < b <b></b></think>c', { thinking: 'a < b <b></b>', text: 'c' }],
  ['a beginning inside the block', '<think>a <think> b</think>c', { thinking: 'a <think> b', text: 'c' }],
  ['another tag at the beginning', '<thinker>x', { thinking: '', text: '<thinker>x' }],
  [
    'a mention in the answer',
    'Use <think>x</think> here',
    { thinking: '', text: 'Use <think>x</think> here' },
  ],
  ['an end without a beginning', 'hm</think>Yes', { thinking: 'hm', text: 'Yes' }],
  [
    'an end without a beginning, and a block',
    'a</think>\n<think>b</think>c',
    { thinking: 'ab', text: '\nc' },
  ],
  [
    'white space, then an end without a beginning',
    '\n hm\n</think>\n\nYes',
    { thinking: '\n hm\n', text: '\n\nYes' },
  ],
  ['an end at the very beginning', '</think>Yes', { thinking: '', text: 'Yes' }],
  ['nearly an end', 'a </thin b < c </think', { thinking: '', text: 'a </thin b < c </think' }],
  ['two ends', 'a</think>b</think>c', { thinking: 'a', text: 'b</think>c' }],
  [
    'an end in quotes',
    'Close it with `</think>` here',
    { thinking: '', text: 'Close it with `</think>` here' },
  ],
  [
    'a mention after a block',
    '<think>a</think>b <think>c</think>',
    { thinking: 'a', text: 'b <think>c</think>' },
  ],
];

describe('reasoning is separated from the answer', () => {
  test.each(CASES)('%s', (_title, content, wanted) => {
    expect(read([content])).toMatchObject(wanted);
    expect(read([...content])).toMatchObject(wanted);
    for (let at = 1; at < content.length; at++) {
      expect(read([content.slice(0, at), content.slice(at)]), `cut at ${at}`).toMatchObject(wanted);
    }
  });

  test('no text is lost, for any split', () => {
    const part = fc.constantFrom('<think>', '</think>', '<', 'think', '>', '/', ' ', '\n', 'a', '你');
    fc.assert(
      fc.property(fc.array(fc.array(part).map((parts) => parts.join(''))), (pieces) => {
        const { text, thinking, events } = read(pieces);
        const whole = read([pieces.join('')]);
        expect({ text, thinking }).toEqual({ text: whole.text, thinking: whole.thinking });
        // All that is missing are tags: perhaps an end without a beginning, whole blocks, and perhaps the beginning of one
        // that does not end.
        const tags = pieces.join('').length - text.length - thinking.length;
        const block = '<think></think>'.length;
        expect([0, '<think>'.length, '</think>'.length]).toContain(tags % block);
        for (const event of events) expect('text' in event && event.text).not.toBe('');
      }),
    );
  });
});

const CONTEXT: AnswerContext = { id: 'a', model: 'm', createdSeconds: 0 };

describe('in a stream', () => {
  const content = (text: string): StreamEvent => ({ type: 'message_chunk', text });
  const sent: StreamEvent[] = [
    { type: 'start' },
    content('<th'),
    { type: 'usage', outputTokens: 1 },
    content('ink>hm</'),
    content('think>Yes'),
    { type: 'complete', finish: 'stop' },
  ];

  test.each(['openai-chat', 'ollama-chat', 'playground', 'sse'])('%s', (name) => {
    const dialect = getDialect(name);
    const events = decodeReads(dialect, [encodeBytes(dialect, sent, CONTEXT)]);
    const content = events.filter((event) => event.type === 'thinking' || event.type === 'message_chunk');
    expect(content).toEqual([
      { type: 'thinking', text: 'hm' },
      { type: 'message_chunk', text: 'Yes' },
    ]);
    expect(events.at(-1)?.type).toBe('complete');
  });

  test('an end tag without a start tag is reported when it arrives, and delays nothing', () => {
    const dialect = getDialect('openai-chat');
    const late: StreamEvent[] = [content('Six'), content(' times</th'), content('ink>42')];
    const events = decodeReads(dialect, [encodeBytes(dialect, [...late, sent.at(-1)!], CONTEXT)]);
    expect(events.filter((event) => event.type !== 'start')).toEqual([
      content('Six'),
      content(' times</th'),
      { type: 'answer_start', strip: '</th'.length },
      content('42'),
      { type: 'complete', finish: 'stop', raw: 'stop' },
    ]);
    expect(gather(events)).toMatchObject({ thinking: 'Six times', text: '42' });
  });

  test('is passed on unchanged', () => {
    const dialect = getDialect('openai-chat');
    const events: StreamEvent[] = [content('Six</th'), { type: 'answer_start', strip: 4 }, content('42')];
    const read = decodeReads(dialect, [encodeBytes(dialect, events, CONTEXT)]);
    expect(read).toEqual([{ type: 'start', id: 'a', model: 'm' }, ...events]);
  });

  test('after reasoning in its own field, an end tag without a start tag is text', () => {
    const dialect = getDialect('openai-chat');
    const events: StreamEvent[] = [{ type: 'thinking', text: 'hm' }, content('a</think>b')];
    const read = decodeReads(dialect, [encodeBytes(dialect, events, CONTEXT)]);
    expect(gather(read)).toMatchObject({ thinking: 'hm', text: 'a</think>b' });
  });

  test('on request the text is unchanged', () => {
    const dialect = getDialect('openai-chat', { thinkTags: false });
    const events = decodeReads(dialect, [encodeBytes(dialect, sent, CONTEXT)]);
    expect(events).toContainEqual(content('<th'));
  });

  test('half a tag is not held past a tool call or the end', () => {
    const dialect = getDialect('openai-chat');
    const events = decodeReads(dialect, [
      encodeBytes(
        dialect,
        [content('<th'), { type: 'tool_call', index: 0, id: 'c', name: 'f', arguments: '{}' }],
        CONTEXT,
      ),
    ]);
    expect(events.map((event) => event.type)).toEqual(['start', 'message_chunk', 'tool_call']);
    expect(decodeReads(dialect, [encodeBytes(dialect, [content('<')], CONTEXT)])).toContainEqual(
      content('<'),
    );
  });

  test('also in a whole answer', () => {
    const dialect = getDialect('openai-chat');
    const { body } = dialect.encodeWhole(sent, CONTEXT);
    expect(dialect.decodeWhole(body)).toContainEqual({ type: 'thinking', text: 'hm' });
  });

  test('a whole answer that begins inside the block', () => {
    const dialect = getDialect('openai-chat');
    const { body } = dialect.encodeWhole([content('hm</think>Yes')], CONTEXT);
    const events = dialect.decodeWhole(body).filter((event) => 'text' in event);
    expect(events).toEqual([{ type: 'thinking', text: 'hm' }, content('Yes')]);
  });
});
