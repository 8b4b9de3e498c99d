import { describe, expect, test } from 'vitest';
import { hiddenReasoning, USUAL_TOKEN, usualLength } from '../../src/client/token-tally.ts';

/**
 * Recorded answers: characters of reasoning and of the rest, tokens of reasoning and of all output. All are in English or
 * code.
 */
const RECORDED: [string, number, number, number, number, 'sent' | 'hidden'][] = [
  ['deepseek-reasoner', 882, 40, 198, 212, 'sent'],
  ['deepseek-chat', 105, 32, 34, 47, 'sent'],
  ['qwen3-max', 3301, 816, 1084, 1355, 'sent'],
  ['groq qwen3', 2952, 347, 963, 1107, 'sent'],
  ['kimi, seven tokens', 16, 6, 7, 12, 'sent'],
  ['llama-box qwen3', 674, 10, 160, 171, 'sent'],
  ['cerebras gpt-oss', 884, 22, 108, 122, 'sent'],
  ['xai grok-3-mini, chat', 1455, 4, 340, 342, 'sent'],
  ['command-a-reasoning', 10841, 1023, 2463, 2697, 'sent'],
  ['claude-sonnet-4.6', 264, 226, 84, 215, 'sent'],
  ['nothing at all', 0, 237, 128, 192, 'hidden'],
  ['xai grok-3-mini, chat, cut short', 20, 5, 290, 291, 'hidden'],
  ['xai grok-3-mini, responses', 1201, 816, 1530, 1703, 'hidden'],
  ['xai grok-4, responses', 766, 2849, 323, 923, 'hidden'],
  ['xai grok-4, responses, again', 569, 3068, 237, 863, 'hidden'],
  ['gemini-2.5-flash, a long answer', 1575, 1938, 787, 1256, 'hidden'],
  ['gemini-2.5-flash, a short answer', 282, 5, 359, 361, 'hidden'],
  ['gemini-3-flash', 1464, 2671, 902, 1510, 'hidden'],
  ['gemini-3-flash on vertex', 871, 2726, 757, 1375, 'hidden'],
  ['gpt-5', 2022, 1251, 1408, 1680, 'hidden'],
];

describe('complete reasoning is distinguished from a summary', () => {
  test.each(RECORDED)('%s', (_, thinking, other, reasoning, output, is) => {
    const facts = { output, reasoning, thinkingLength: 3 * thinking, otherLength: 3 * other };
    expect(hiddenReasoning(facts)).toBe(is === 'hidden' ? reasoning : 0);
  });

  const chinese = (chars: number) => usualLength('想'.repeat(chars));
  const english = (chars: number) => usualLength('a'.repeat(chars));

  test.each<[string, number, number, 'sent' | 'hidden']>([
    ['Chinese, sent, an English answer', chinese(1500), english(400), 'sent'],
    ['Chinese at one character a token, sent', chinese(1000), english(400), 'sent'],
    ['English, sent, a Chinese answer', english(4000), chinese(150), 'sent'],
    ['a Chinese summary', chinese(400), chinese(150), 'hidden'],
    ['an English summary, a Chinese answer', english(800), chinese(150), 'hidden'],
  ])('%s', (_, thinkingLength, otherLength, is) => {
    const facts = { output: 1100, reasoning: 1000, thinkingLength, otherLength };
    expect(hiddenReasoning(facts)).toBe(is === 'hidden' ? 1000 : 0);
  });

  test('no reasoning is no hidden reasoning', () => {
    expect(hiddenReasoning({ output: 10, reasoning: 0, thinkingLength: 0, otherLength: 9 })).toBe(0);
    expect(hiddenReasoning({ output: 10, reasoning: 0, thinkingLength: 99, otherLength: 9 })).toBe(0);
  });
});

test('the length of a text depends on its alphabet', () => {
  expect(usualLength('word')).toBe(USUAL_TOKEN);
  expect(usualLength('слово!')).toBe(2.75 * USUAL_TOKEN);
  expect(usualLength('你好吗')).toBe(2 * USUAL_TOKEN);
  expect(usualLength('')).toBe(0);
});
