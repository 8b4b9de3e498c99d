// Colors, shapes and number formats of the charts.

/** @typedef {'light' | 'dark'} ThemeName */
/** @typedef {{ ink: string, soft: string, faint: string, paper: string, series: string[], tones: Record<string, string> }} Theme */

/**
 * The colors of M. Okabe and K. Ito, which people with any color vision can tell apart (jfly.uni-koeln.de/color, 2008), without the
 * ones that are too light or too dark for the background.
 * @type {Record<ThemeName, Theme>}
 */
const THEMES = {
  light: {
    ink: '#1b1f24',
    soft: '#59636e',
    faint: '#e4e7eb',
    paper: '#ffffff',
    series: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#1b1f24', '#e69f00', '#56b4e9'],
    tones: { good: '#007a59', bad: '#b34700', unknown: '#6b7580', neutral: '#0072b2' },
  },
  dark: {
    ink: '#e6e9ed',
    soft: '#9aa4af',
    faint: '#2c323a',
    paper: '#171b20',
    series: ['#56b4e9', '#e69f00', '#00b386', '#cc79a7', '#e6e9ed', '#f0e442', '#d55e00'],
    tones: { good: '#00b386', bad: '#ff8a4c', unknown: '#9aa4af', neutral: '#56b4e9' },
  },
};

const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]];
const SHAPES = ['dot', 'square', 'diamond', 'ring'];

/** The theme that charts are drawn in; on paper always light. @type {{ theme: ThemeName }} */
const current = { theme: 'light' };

/** @returns {Theme} */
function theme() {
  return THEMES[current.theme];
}

/** The look of a cell or a line: cells that share a color differ in dash and marker. @param {number} index */
function styleOf(index) {
  const { series } = theme();
  return {
    color: series[index % series.length] ?? theme().ink,
    dash: DASHES[Math.floor(index / series.length) % DASHES.length] ?? [],
    shape: SHAPES[index % SHAPES.length] ?? 'dot',
  };
}

/** @param {string | undefined} tone */
function toneColor(tone) {
  return theme().tones[tone ?? 'neutral'] ?? theme().ink;
}

/**
 * Draws a mark. `size`: its radius in canvas pixels.
 * @param {CanvasRenderingContext2D} ctx @param {string} shape @param {number} x @param {number} y @param {number} size
 */
function drawMark(ctx, shape, x, y, size) {
  ctx.beginPath();
  switch (shape) {
    case 'square':
      ctx.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
      break;
    case 'diamond':
      ctx.moveTo(x, y - size * 1.25);
      ctx.lineTo(x + size * 1.25, y);
      ctx.lineTo(x, y + size * 1.25);
      ctx.lineTo(x - size * 1.25, y);
      ctx.closePath();
      break;
    case 'triangle':
      ctx.moveTo(x, y - size * 1.2);
      ctx.lineTo(x + size * 1.1, y + size * 0.9);
      ctx.lineTo(x - size * 1.1, y + size * 0.9);
      ctx.closePath();
      break;
    case 'cross':
      ctx.moveTo(x - size, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.moveTo(x + size, y - size);
      ctx.lineTo(x - size, y + size);
      ctx.stroke();
      return;
    case 'ring':
      ctx.arc(x, y, size * 0.85, 0, 2 * Math.PI);
      ctx.stroke();
      return;
    default:
      ctx.arc(x, y, size, 0, 2 * Math.PI);
  }
  ctx.fill();
}

/** A number to two digits below 10, whole above. @param {number} value @returns {string} */
function numberText(value) {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 0.995) return value.toFixed(2);
  if (size < 9.95) return value.toFixed(1);
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, size >= 9999.5 ? '\u202f' : '');
}

/** A value with its unit, as in the tables. @param {number | null | undefined} value @param {string} unit @returns {string} */
function valueText(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return '—';
  switch (unit) {
    case 'ms':
      return Math.abs(value) < 9999.5 ? `${numberText(value)} ms` : `${(value / 1000).toFixed(1)} s`;
    case 'seconds':
      return `${(value / 1000).toFixed(value < 99_950 ? 1 : 0)} s`;
    case '1/s':
      return `${numberText(value)}/s`;
    case 'ratio':
      return `${(value * 100).toFixed(Math.abs(value) < 0.0995 ? 1 : 0)} %`;
    case 'bytes':
      return value < 1e6 ? `${numberText(value / 1e3)} kB` : `${numberText(value / 1e6)} MB`;
    default:
      return Number.isInteger(value) ? String(value) : numberText(value);
  }
}

/** Decimals that these numbers need, at most three. @param {number[]} values */
function decimalsOf(values) {
  const isWhole = (/** @type {number} */ value) =>
    Math.abs(value - Math.round(value)) < 1e-6 * Math.max(1, Math.abs(value));
  for (let digits = 0; digits < 3; digits++)
    if (values.every((value) => isWhole(value * 10 ** digits))) return digits;
  return 3;
}

/** The labels of an axis: all in one unit. @param {number[]} splits @param {string} unit @returns {string[]} */
function tickTexts(splits, unit) {
  if (unit === 'ms' || unit === 'seconds') {
    const isSeconds = unit === 'seconds' || Math.max(...splits.map(Math.abs)) >= 5000;
    const values = isSeconds ? splits.map((split) => split / 1000) : splits;
    const digits = decimalsOf(values);
    return values.map((value) => `${trimmed(value.toFixed(digits))} ${isSeconds ? 's' : 'ms'}`);
  }
  if (unit === 'ratio') {
    const percent = splits.map((split) => split * 100);
    const digits = decimalsOf(percent);
    return percent.map((value) => `${value.toFixed(digits)} %`);
  }
  return splits.map((split) => valueText(split, unit));
}

/** Without zeros at the end of the decimals. @param {string} text */
function trimmed(text) {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** An element with a class and a text. @param {string} tag @param {string} [className] @param {string} [text] */
function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.textContent = text;
  return made;
}
