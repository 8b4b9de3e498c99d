import { describe, expect, test } from 'vitest';
import { withNonce } from '../../src/model/request.ts';
import { planScenario, planSummary } from '../../src/scenario/plan.ts';
import { DIALECT_NAMES, getDialect } from '../../src/wire/dialects/index.ts';
import { load, yaml } from './helpers.ts';

const same = (text: string) => planScenario(load(text)).same;

describe('unique prompts', () => {
  test('are the default, and are turned off for all prompts or for one', () => {
    const plan = planScenario(load(yaml()));
    expect(plan.prompts[0]).toMatchObject({ unique: true });
    expect(planSummary(plan).unique).toEqual({ salt: '', prefixChars: 10, same: [] });
    const off = { target: 'local', prompt: 'short', why: 'unique: false', asked: true };
    expect(same(yaml('unique: false\n'))).toEqual([off]);
    expect(same(yaml('  - { name: other, text: hello, unique: true }\nunique: false\n'))).toEqual([off]);
    expect(same(yaml('  - { name: other, text: hello, unique: false }\n'))).toEqual([
      { ...off, prompt: 'other' },
    ]);
  });

  test('are not those that a target does not send', () => {
    const target = (fields: string) =>
      yaml().replace('dialect: openai-chat', `dialect: sse\n    ${fields}`).replace('/v1', '/x');
    const why = (fields: string) => same(target(fields))?.map((one) => [one.asked, one.why]);
    expect(why('body: "fixed"')).toEqual([[false, 'the body has no {{prompt}}, {{messages}} or {{nonce}}']]);
    expect(why('method: GET')).toEqual([
      [false, 'a GET whose URL has no {{prompt}} or {{nonce}} in its query'],
    ]);
    expect(why('extra: { prompt: fixed }')).toEqual([[false, 'extra replaces the prompt']]);
    expect(why('body: "id {{nonce}}"')).toEqual([]);
    expect(why('body: { p: "{{messages}}" }')).toEqual([]);
  });

  test.each(DIALECT_NAMES)('reach the request of %s at the very beginning of the prompt', (dialect) => {
    for (const messages of [
      [{ role: 'user' as const, content: 'QUESTION' }],
      [
        { role: 'system' as const, content: 'SYSTEM' },
        { role: 'user' as const, content: 'QUESTION' },
      ],
    ]) {
      const { body } = getDialect(dialect).request({
        messages: withNonce(messages, 'n0nce123'),
        model: 'm',
        stream: true,
      });
      const words = body!.match(/n0nce123|SYSTEM|QUESTION/g)!;
      // Anthropic, Gemini and others have the system message in a field of its own, which goes before the others.
      expect(words.filter((word) => word === 'n0nce123')).toHaveLength(1);
      const first = messages[0]!.content;
      expect(body).toContain(`n0nce123\\n\\n${first}`);
    }
  });
});
