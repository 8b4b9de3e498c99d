import { keyedRandom, randomInt } from '../model/keyed-random.ts';
import { CHARS_PER_WORD } from '../model/prompt-info.ts';

// Generated text whose length in tokens is known. Each of the words is one token of o200k and of cl100k, at the start of a text
// and after a space. With its space it has four characters, the usual estimate for a token of other tokenizers.

const WORDS = (
  'the and for are but not you all any can had her was one our out day get has him his how man new now ' +
  'old see two way who boy did its let put say she too use air act add age ago aid aim arm art ask bad ' +
  'bag bar bay bed bet bid big bit bow box bus buy cab cap car cat cry cup cut dad dig dog dot dry due ' +
  'ear eat egg end era eye fan far few fig fit fix fly fox fun fur gap gas gem hat hen hot ice ink inn ' +
  'ion jam jar jaw jet job joy key kit lab lap law lay leg lip log lot low mad map mat may mix mom net ' +
  'nod nor nut odd off oil owl own pad pan pay pen pet pie pin pit pop pot pro ran raw ray red rib rid ' +
  'rim rob rod row rub rug run sat sea set sit six ski sky son spy sub sum sun tab tag tan tap tax tea ' +
  'ten tie tin tip ton top toy try van vet via war web why win won yes yet zip arc ash axe bat bee bin ' +
  'bug cod cop cue den dim elf elm eve fin hay hip hub lid lit mid nap nil opt orb ore pal pat peg per ' +
  'pod ram rap rep rum rut sip spa tar urn wig wit led met got ham hid dam cot rag rig rot vat wed ace ' +
  'app ate bio bye cam con'
).split(' ');

const CORPUS_WORDS = 2 ** 15;

// Texts are slices of one long text: generating words for each request would delay the streams that are open.
const CORPUS = (() => {
  const random = keyedRandom('corpus');
  return Array.from({ length: CORPUS_WORDS }, () => `${WORDS[randomInt(random, WORDS.length)]} `).join('');
})();

/**
 * A text of this many words. It begins with the words of `opening`, which are indexes of words, and continues with the corpus at
 * word `at`, any whole number.
 */
export function syntheticText(words: number, opening: readonly number[], at: number): string {
  const first = opening.slice(0, words).map((index) => `${WORDS[index % WORDS.length]} `);
  let text = first.join('');
  let from = at % CORPUS_WORDS;
  for (let left = words - first.length; left > 0; from = 0) {
    const taken = Math.min(left, CORPUS_WORDS - from);
    text += CORPUS.slice(from * CHARS_PER_WORD, (from + taken) * CHARS_PER_WORD);
    left -= taken;
  }
  return text.slice(0, -1);
}

/** Words that a nonce is written with. */
const NONCE_WORDS = 6;

/** The shortest generated prompt: its first words are the nonce. */
export const MIN_SYNTHETIC_TOKENS = 8;

/** A nonce as indexes of words: different nonces give different words. */
export function nonceWords(nonce: string): number[] {
  let rest = Number.parseInt(nonce, 36);
  return Array.from({ length: NONCE_WORDS }, () => {
    const index = rest % WORDS.length;
    rest = Math.floor(rest / WORDS.length);
    return index;
  }).reverse();
}

/** As many words as a nonce has, drawn by a key. */
export function keyWords(key: string): number[] {
  const random = keyedRandom(key);
  return Array.from({ length: NONCE_WORDS }, () => randomInt(random, WORDS.length));
}
