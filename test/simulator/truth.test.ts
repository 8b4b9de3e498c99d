import { describe, expect, it } from 'vitest';
import { TruthLog, TruthRecorder } from '../../src/simulator/truth.ts';

function recorder(requestId: string): TruthRecorder {
  return new TruthRecorder({ requestId, model: 'm', dialect: 'd', mode: 'streaming', receivedAtMs: 100 });
}

describe('TruthRecorder', () => {
  it('keeps what was sent, when, and how it ended', () => {
    const notes = recorder('a');
    notes.sent([{ type: 'start' }], 110, 110.5);
    notes.sent(
      [
        { type: 'thinking', text: 'hm' },
        { type: 'message_chunk', text: 'yes' },
      ],
      120,
      121,
    );
    notes.sent([{ type: 'usage', outputTokens: 2 }], 120, 122);
    notes.ended('complete', 123, 200);
    expect(notes.entry()).toEqual({
      requestId: 'a',
      model: 'm',
      dialect: 'd',
      mode: 'streaming',
      receivedAtMs: 100,
      chunks: [
        { dueAtMs: 110, sentAtMs: 110.5, contentEvents: 0 },
        { dueAtMs: 120, sentAtMs: 121, contentEvents: 2 },
        { dueAtMs: 120, sentAtMs: 122, contentEvents: 0 },
      ],
      endAtMs: 123,
      outcome: 'complete',
      status: 200,
      text: 'yes',
      thinking: 'hm',
      usage: { type: 'usage', outputTokens: 2 },
    });
  });

  it('is corrected if the client has disconnected', () => {
    const notes = recorder('a');
    notes.ended('complete', 1, 200);
    notes.ended('client_gone', 2, 200);
    expect(notes.entry()).toMatchObject({ outcome: 'client_gone', aborted: true, endAtMs: 2 });
  });
});

describe('TruthLog', () => {
  const filled = (capacity: number, count: number) => {
    const log = new TruthLog(capacity);
    for (let i = 0; i < count; i++) {
      const notes = recorder(String(i));
      notes.ended('complete', i, 200);
      log.add(notes);
    }
    return log.entries().map(({ requestId }) => requestId);
  };

  it('keeps the newest, in order', () => {
    expect(filled(3, 2)).toEqual(['0', '1']);
    expect(filled(3, 3)).toEqual(['0', '1', '2']);
    expect(filled(3, 8)).toEqual(['5', '6', '7']);
    expect(filled(0, 4)).toEqual([]);
  });
});
