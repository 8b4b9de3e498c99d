import { type KeyedRandom, pick, randomInt } from '../model/keyed-random.ts';

// Text that looks like an answer: one word is about one token.

interface Language {
  words: readonly string[];
  /** Separator between two words. */
  space: string;
  comma: string;
  /** Sentence ends. The emoji takes four bytes of UTF-8 and two UTF-16 units, to test clients with split characters. */
  ends: readonly string[];
}

const list = (text: string): readonly string[] => text.split(' ');

const ENGLISH: Language = {
  words: list(
    'the a model data system value learns from which each result depends on simple examples and finds a pattern ' +
      'because training needs time memory cost quality we measure before changing anything however small steps ' +
      'often help people compare different answers without losing context while new evidence improves our view',
  ),
  space: ' ',
  comma: ',',
  ends: ['.', '.', '.', '.', '!', ' 🙂.'],
};

const CHINESE: Language = {
  words: list(
    '机器 学习 是 一种 方法 它 通过 数据 模型 训练 得到 结果 我们 可以 使用 不同 的 算法 因此 系统 能够 提高 质量 ' +
      '同时 需要 时间 和 计算 资源 例如 分类 回归 以及 预测 问题 首先 然后 最后 重要 的是 理解 基本 概念 并且 测量 性能',
  ),
  space: '',
  comma: ',',
  ends: ['。', '。', '。', '。', '!', '🙂。'],
};

const JAPANESE: Language = {
  words: list(
    'モデル は データ を 使って 学習 します この 方法 では 結果 が 早く 得られ また システム の 性能 も 重要 です ' +
      '例えば 分類 や 予測 に 役立ち まず 基本 から 理解 して 次に 測定 し 改善 を 続け',
  ),
  space: '',
  comma: '、',
  ends: ['。', '。', '。', '🙂。'],
};

const RUSSIAN: Language = {
  words: list(
    'модель данные система обучение это метод который помогает найти ответ и сравнить результат поэтому время важно ' +
      'сначала мы измеряем потом меняем один параметр чтобы понять причину без потери качества',
  ),
  space: ' ',
  comma: ',',
  ends: ['.', '.', '.', '!'],
};

function languageOf(prompt: string): Language {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(prompt)) return JAPANESE;
  if (/\p{Script=Han}/u.test(prompt)) return CHINESE;
  if (/\p{Script=Cyrillic}/u.test(prompt)) return RUSSIAN;
  return ENGLISH;
}

/** `count` tokens of text in the language of the prompt. None is empty; concatenated they are the text. */
export function words(count: number, prompt: string, random: KeyedRandom): string[] {
  const language = languageOf(prompt);
  const tokens: string[] = [];
  let left = 0;
  for (let i = 0; i < count; i++) {
    const opening = left === 0;
    if (opening) left = 5 + randomInt(random, 10);
    left--;
    const word = pick(random, language.words);
    const mark = left === 0 ? pick(random, language.ends) : random() < 0.08 && !opening ? language.comma : '';
    const cased = opening ? word.charAt(0).toUpperCase() + word.slice(1) : word;
    tokens.push((i === 0 ? '' : language.space) + cased + mark);
  }
  return tokens;
}

/** Estimated tokens of a text: one per Han, kana or Hangul character, and one per four other characters. */
export function estimateTokens(text: string): number {
  const dense =
    text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0;
  return dense + Math.ceil((text.length - dense) / 4);
}
