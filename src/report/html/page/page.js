// Draws the charts of the page, and makes tables sortable, cells selectable and the theme switchable.

/**
 * What a chart is drawn with.
 * @typedef {object} View
 * @property {(cell: number) => boolean} isShown
 * @property {(cell: number) => ReturnType<typeof styleOf>} cellStyle
 * @property {number} width In CSS pixels.
 * @property {string[]} names Of the cells.
 * @property {string} mode Of a distribution: `shares` or `percentiles`.
 */

/** @type {import('../chart.ts').PageData} */
const data = JSON.parse(document.getElementById('data')?.textContent ?? '{}');
const shownCells = new Set(data.cells.flatMap(({ on }, index) => (on ? [index] : [])));
const cellNames = data.cells.map(({ name }) => name);

/** @param {number} cell */
const cellStyle = (cell) => styleOf(data.cells[cell]?.style ?? 0);

/** Times are tenths of a ms in the data, and ms in the charts. @param {number} value */
const ms = (value) => value / 10;

/** @param {import('../chart.ts').Chart} chart @returns {import('../chart.ts').Chart} */
function inMs(chart) {
  const byUnit = (/** @type {string} */ unit) =>
    unit === 'ms' || unit === 'seconds' ? ms : (/** @type {number} */ value) => value;
  const optional = (/** @type {number | undefined} */ value) => (value === undefined ? undefined : ms(value));
  switch (chart.kind) {
    case 'lines': {
      const [x, y] = [byUnit(chart.x.unit), byUnit(chart.y.unit)];
      const { range } = chart.y;
      return {
        ...chart,
        y: { ...chart.y, range: range && [y(range[0]), y(range[1])] },
        lines: chart.lines.map((line) => ({
          ...line,
          x: line.x.map(x),
          y: line.y.map((value) => (value === null ? null : y(value))),
        })),
        guides: chart.guides.map((guide) => ({ ...guide, at: (guide.axis === 'x' ? x : y)(guide.at) })),
      };
    }
    case 'distribution':
      return {
        ...chart,
        curves: chart.curves.map((curve) => ({ ...curve, values: curve.values.map(byUnit(chart.unit)) })),
      };
    case 'raster':
      return {
        ...chart,
        rows: chart.rows.map((row) => ({
          ...row,
          arrivals: row.arrivals.map(ms),
          byte: optional(row.byte),
          end: optional(row.end),
        })),
      };
    case 'timeline':
      return {
        ...chart,
        start: ms(chart.start),
        end: ms(chart.end),
        cells: chart.cells.map((own) => ({ ...own, x: own.x.map(ms), y: own.y.map(ms) })),
        failures: chart.failures.map((own) => ({ ...own, x: own.x.map(ms) })),
        stalls: chart.stalls.map((own) => ({
          ...own,
          x: own.x.map(ms),
          y: own.y.map(ms),
          longest: own.longest.map(ms),
        })),
      };
    case 'rows': {
      const x = byUnit(chart.x.unit);
      const bound = (/** @type {number | null | undefined} */ value) => (value == null ? null : x(value));
      return {
        ...chart,
        rows: chart.rows.map(({ span, ...row }) => ({
          ...row,
          marks: row.marks.map((mark) => ({ ...mark, at: x(mark.at) })),
          span:
            span === undefined ? undefined : /** @type {[number | null, number | null]} */ (span.map(bound)),
        })),
      };
    }
    default:
      return /** @type {never} */ (chart);
  }
}

/** @param {import('../chart.ts').Chart} chart @param {View} view @returns {PlotSpec} */
function plotOf(chart, view) {
  switch (chart.kind) {
    case 'lines':
      return linesPlot(chart, view);
    case 'distribution':
      return distributionPlot(chart, view);
    case 'raster':
      return rasterPlot(chart, view);
    case 'timeline':
      return timelinePlot(chart, view);
    case 'rows':
      return rowsPlot(chart, view);
    default:
      return /** @type {never} */ (chart);
  }
}

/** @typedef {{ holder: HTMLElement, chart: import('../chart.ts').Chart, mode: string, plot?: uPlot }} Drawn */

/** @type {Drawn[]} */
const drawn = [...document.querySelectorAll('[data-chart]')].flatMap((holder) => {
  const chart = data.charts[Number(/** @type {HTMLElement} */ (holder).dataset.chart)];
  return chart === undefined
    ? []
    : { holder: /** @type {HTMLElement} */ (holder), chart: inMs(chart), mode: 'shares' };
});

/** Draws a chart anew. @param {Drawn} one @param {number} [width] */
function draw(one, width = one.holder.clientWidth) {
  one.plot?.destroy();
  const view = {
    cellStyle,
    isShown: (/** @type {number} */ cell) => shownCells.has(cell),
    width,
    names: cellNames,
    mode: one.mode,
  };
  one.plot = createPlot(one.holder, plotOf(one.chart, view), width);
}

/** @param {number} [width] */
function drawAll(width) {
  for (const one of drawn) draw(one, width);
}

/** Adds buttons of which one is pressed. @param {HTMLElement} parent @param {string} label @param {[value: string, text: string][]} choices @param {(value: string) => void} choose */
function addChoice(parent, label, choices, choose) {
  const group = element('div', 'choice');
  group.setAttribute('role', 'group');
  group.setAttribute('aria-label', label);
  for (const [index, [value, text]] of choices.entries()) {
    const button = element('button', '', text);
    button.setAttribute('type', 'button');
    button.setAttribute('aria-pressed', String(index === 0));
    button.addEventListener('click', () => {
      for (const other of group.children) other.setAttribute('aria-pressed', String(other === button));
      choose(value);
    });
    group.append(button);
  }
  parent.prepend(group);
}

for (const one of drawn) {
  if (one.chart.kind !== 'distribution') continue;
  addChoice(
    one.holder,
    `View of ${one.chart.label}`,
    [
      ['shares', 'Cumulative'],
      ['percentiles', 'Percentiles'],
    ],
    (mode) => {
      one.mode = mode;
      draw(one);
    },
  );
}

/** The sample of a cell's color, dash and marker. @param {HTMLCanvasElement} canvas @param {number} cell */
function drawSample(canvas, cell) {
  const ctx = canvas.getContext('2d');
  if (ctx === null) return;
  const { color, dash, shape } = cellStyle(cell);
  canvas.width = 64;
  canvas.height = 28;
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.lineWidth = 4;
  ctx.setLineDash(dash.map((length) => length * 2));
  ctx.beginPath();
  ctx.moveTo(0, 14);
  ctx.lineTo(64, 14);
  ctx.stroke();
  ctx.setLineDash([]);
  drawMark(ctx, shape, 32, 14, 8);
}

function drawSamples() {
  for (const canvas of document.querySelectorAll('canvas.sample'))
    drawSample(
      /** @type {HTMLCanvasElement} */ (canvas),
      Number(/** @type {HTMLElement} */ (canvas).dataset.cell),
    );
}

/** The boxes with which cells are shown and hidden, above each group of charts. */
function addCellBoxes() {
  for (const field of document.querySelectorAll('fieldset[data-cells]')) {
    /** @type {HTMLElement} */ (field).hidden = false;
    for (const [cell, name] of cellNames.entries()) {
      const label = element('label');
      const box = /** @type {HTMLInputElement} */ (element('input'));
      box.type = 'checkbox';
      box.value = String(cell);
      box.checked = shownCells.has(cell);
      box.addEventListener('change', () => {
        if (box.checked) shownCells.add(cell);
        else shownCells.delete(cell);
        for (const other of /** @type {NodeListOf<HTMLInputElement>} */ (
          document.querySelectorAll('fieldset[data-cells] input')
        ))
          other.checked = shownCells.has(Number(other.value));
        for (const one of drawn) if (one.chart.kind !== 'rows') draw(one);
      });
      const sample = /** @type {HTMLCanvasElement} */ (element('canvas', 'sample'));
      sample.dataset.cell = String(cell);
      label.append(box, sample, name);
      field.append(label);
    }
  }
}

/** Headings become buttons: the first press sorts up, the next one down. @param {HTMLTableElement} table */
function makeSortable(table) {
  const [body] = table.tBodies;
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  if (body === undefined || body.rows.length < 2) return;
  for (const [column, head] of heads.entries()) {
    const button = element('button', '', head.textContent ?? '');
    button.setAttribute('type', 'button');
    head.textContent = '';
    head.append(button);
    button.addEventListener('click', () => {
      const isUp = head.getAttribute('aria-sort') !== 'ascending';
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', isUp ? 'ascending' : 'descending');
      const keyed = [...body.rows].map((row) => ({ row, key: sortKey(row.cells[column]) }));
      keyed.sort((a, b) => compareKeys(a.key, b.key, isUp));
      body.append(...keyed.map(({ row }) => row));
    });
  }
}

/** @param {HTMLTableCellElement | undefined} cell @returns {number | string | undefined} */
function sortKey(cell) {
  const order = cell?.dataset.order;
  if (order !== undefined) return order === '' ? undefined : Number(order);
  return cell?.textContent ?? '';
}

/** Missing values come last in both directions. @param {number | string | undefined} a @param {number | string | undefined} b @param {boolean} isUp */
function compareKeys(a, b, isUp) {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const order =
    typeof a === 'number' && typeof b === 'number'
      ? a - b
      : String(a).localeCompare(String(b), 'en', { numeric: true });
  return isUp ? order : -order;
}

const isDark = matchMedia('(prefers-color-scheme: dark)');
const themeButton = /** @type {HTMLButtonElement} */ (document.getElementById('theme'));

/** @param {ThemeName} name */
function setTheme(name) {
  current.theme = name;
  document.documentElement.dataset.theme = name;
  themeButton.textContent = name === 'dark' ? 'Light' : 'Dark';
  themeButton.setAttribute('aria-label', `Switch to the ${name === 'dark' ? 'light' : 'dark'} theme`);
  drawAll();
  drawSamples();
}

themeButton.hidden = false;
themeButton.addEventListener('click', () => setTheme(current.theme === 'dark' ? 'light' : 'dark'));
isDark.addEventListener('change', () => setTheme(isDark.matches ? 'dark' : 'light'));
addCellBoxes();
for (const table of document.querySelectorAll('table.sortable'))
  makeSortable(/** @type {HTMLTableElement} */ (table));
setTheme(isDark.matches ? 'dark' : 'light');

let lastWidth = innerWidth;
/** @type {number | undefined} */
let resizing;
addEventListener('resize', () => {
  // On a phone the height changes with every scroll.
  if (innerWidth === lastWidth) return;
  lastWidth = innerWidth;
  clearTimeout(resizing);
  resizing = setTimeout(() => drawAll(), 100);
});

/** The width of the text on A4 and US Letter with usual margins. */
const PAPER_WIDTH = 680;
let screenTheme = current.theme;
addEventListener('beforeprint', () => {
  screenTheme = current.theme;
  current.theme = 'light';
  drawAll(PAPER_WIDTH);
  drawSamples();
});
addEventListener('afterprint', () => setTheme(screenTheme));

document.documentElement.dataset.drawn = String(Math.round(performance.now()));
