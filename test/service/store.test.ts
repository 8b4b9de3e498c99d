import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openStore, toHistory } from '../../src/service/store.ts';
import { FakeClock } from '../support/fake-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'streambench-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const clock = new FakeClock();

describe('the message store', () => {
  test('returns the last messages in order, to their owner only', async () => {
    const store = await openStore(':memory:', clock);
    const mine = { owner: 'ada', session: 's' };
    store.addUser(mine, '一');
    const id = store.addAssistant(mine, {
      content: 'tw',
      thinking: '',
      partial: true,
      reason: 'in_progress',
    });
    store.updateAssistant(id, { content: 'two', thinking: 'hm', partial: false, model: 'm' });
    store.addUser(mine, 'three');
    expect(store.messages(mine, 2).map(({ content }) => content)).toEqual(['two', 'three']);
    expect(store.messages(mine, 10)[1]).toEqual({
      id,
      role: 'assistant',
      content: 'two',
      thinking: 'hm',
      model: 'm',
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    });
    expect(store.messages({ owner: 'eve', session: 's' }, 10)).toEqual([]);
    store.close();
  });

  test('keeps a memory per user and agent', async () => {
    const store = await openStore(':memory:', clock);
    store.saveMemory('ada', 'a', { turns: 1 });
    store.saveMemory('ada', 'a', { turns: 2 });
    expect(store.memory('ada', 'a')).toEqual({ turns: 2 });
    expect(store.memory('eve', 'a')).toBeUndefined();
    store.close();
  });

  test('an answer that a killed process left unfinished is marked when the file is opened again', async () => {
    const file = join(folder, 'left.db');
    const conversation = { owner: 'o', session: 's' };
    const before = await openStore(file, clock);
    before.addUser(conversation, 'q');
    before.addAssistant(conversation, {
      content: 'half',
      thinking: '',
      partial: true,
      reason: 'in_progress',
    });
    before.addAssistant(conversation, {
      content: 'gone',
      thinking: '',
      partial: true,
      reason: 'client_gone',
    });
    before.close();
    const after = await openStore(file, clock);
    expect(after.messages(conversation, 9).map(({ reason }) => reason)).toEqual([
      undefined,
      'crashed',
      'client_gone',
    ]);
    after.close();
  });

  test('a file that cannot be opened is a user error', async () => {
    const missing = openStore(join(folder, 'no', 'such', 'folder.db'), clock);
    await expect(missing).rejects.toMatchObject({ code: 'output_unwritable' });
  });

  test('an answer without text is not sent to the model', () => {
    const message = { id: 1, createdAt: '', updatedAt: '' };
    const stored = [
      { ...message, role: 'user' as const, content: 'q' },
      { ...message, role: 'assistant' as const, content: '', partial: true as const },
    ];
    expect(toHistory(stored)).toEqual([{ role: 'user', content: 'q' }]);
  });
});
