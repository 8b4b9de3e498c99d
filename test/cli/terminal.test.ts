import { describe, expect, test } from 'vitest';
import { colorLevel, terminalWidth } from '../../src/cli/terminal.ts';

describe('colour', () => {
  test.each<[string, Parameters<typeof colorLevel>[0], number]>([
    ['on a terminal', { env: { TERM: 'xterm' }, isTTY: true }, 1],
    ['on a terminal of 256 colours', { env: { TERM: 'xterm-256color' }, isTTY: true }, 2],
    ['on a terminal of all colours', { env: { COLORTERM: 'truecolor' }, isTTY: true }, 3],
    ['none in a pipe', { env: {}, isTTY: false }, 0],
    ['none on a dumb terminal', { env: { TERM: 'dumb' }, isTTY: true }, 0],
    ['none in CI', { env: { CI: 'true' }, isTTY: true }, 0],
    ['none with NO_COLOR', { env: { NO_COLOR: '1' }, isTTY: true }, 0],
    ['an empty NO_COLOR says nothing', { env: { NO_COLOR: '' }, isTTY: true }, 1],
    ['NO_COLOR wins over FORCE_COLOR', { env: { NO_COLOR: '1', FORCE_COLOR: '3' }, isTTY: true }, 0],
    ['FORCE_COLOR in a pipe', { env: { FORCE_COLOR: '2' }, isTTY: false }, 2],
    ['FORCE_COLOR=0', { env: { FORCE_COLOR: '0' }, isTTY: true }, 0],
    ['--no-color', { env: { FORCE_COLOR: '3' }, isTTY: true, flag: false }, 0],
    ['--color in a pipe', { env: {}, isTTY: false, flag: true }, 1],
  ])('%s', (_name, facts, level) => {
    expect(colorLevel(facts)).toBe(level);
  });
});

test('the width is the terminal’s, then COLUMNS, then 120', () => {
  expect(terminalWidth({ columns: 70 }, { COLUMNS: '99' })).toBe(70);
  expect(terminalWidth({}, { COLUMNS: '99' })).toBe(99);
  expect(terminalWidth({}, { COLUMNS: 'x' })).toBe(120);
});
