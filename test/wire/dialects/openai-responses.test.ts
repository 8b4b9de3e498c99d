import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../../src/model/events.ts';
import { getDialect } from '../../../src/wire/dialects/index.ts';

function whole(...output: object[]): readonly StreamEvent[] {
  const usage = { input_tokens: 4, output_tokens: 9, total_tokens: 13 };
  const body = { id: 'r', object: 'response', model: 'o', status: 'completed', output, usage };
  return getDialect('openai-responses').decodeWhole(JSON.stringify(body));
}

describe('whole answers without text', () => {
  const call = (name: string, args: string): StreamEvent => ({
    ...{ type: 'tool_call', index: 0, id: 'c', name, arguments: args },
  });

  test.each<[object, StreamEvent]>([
    [
      { type: 'apply_patch_call', call_id: 'c', operation: { type: 'update_file', path: 'a', diff: '' } },
      call('apply_patch_call', '{"type":"update_file","path":"a","diff":""}'),
    ],
    [
      { type: 'local_shell_call', call_id: 'c', action: { command: ['ls'] } },
      call('local_shell_call', '{"command":["ls"]}'),
    ],
    [
      { type: 'shell_call', call_id: 'c', environment: { type: 'local' }, action: { commands: ['ls'] } },
      call('shell_call', '{"commands":["ls"]}'),
    ],
    [
      { type: 'computer_call', call_id: 'c', action: { type: 'screenshot' } },
      call('computer_call', '{"type":"screenshot"}'),
    ],
    [
      { type: 'image_generation_call', id: 'i', result: 'AAAA' },
      { type: 'media', kind: 'image', data: 'AAAA' },
    ],
    [
      { type: 'code_interpreter_call', id: 'c', code: 'print(1)' },
      { type: 'server_tool_call', index: 0, id: 'c', name: 'code_interpreter_call', arguments: 'print(1)' },
    ],
    [
      {
        type: 'shell_call',
        call_id: 'c',
        environment: { type: 'container_reference' },
        action: { commands: ['ls'] },
      },
      { type: 'server_tool_call', index: 0, id: 'c', name: 'shell_call', arguments: '{"commands":["ls"]}' },
    ],
  ])('%j', (item, event) => {
    const events = whole(item);
    expect(events[1]).toEqual(event);
    const finish = event.type === 'tool_call' ? 'tool_calls' : 'stop';
    expect(events.at(-1)).toMatchObject({ type: 'complete', finish });
  });

  test('a call whose only input is its kind and place keeps it', () => {
    const item = { type: 'apply_patch_call', call_id: 'c', operation: { type: 'delete_file', path: 'a' } };
    expect(whole(item)[1]).toEqual(call('apply_patch_call', '{"type":"delete_file","path":"a"}'));
  });
});
