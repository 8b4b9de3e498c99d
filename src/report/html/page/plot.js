// The frame of every chart: axes, zoom, cursor and readout by uPlot. What is inside is drawn by the functions of each kind.

/**
 * @typedef {object} PlotAxis
 * @property {string} label
 * @property {string} unit
 * @property {[number, number]} range
 * @property {boolean} [log]
 * @property {string[]} [names] Labels of whole numbers.
 * @property {number[]} [splits] Where ticks are.
 * @property {string[]} [ticks] Their labels.
 */

/**
 * @typedef {object} PlotSpec
 * @property {number} height In CSS pixels, with the axis.
 * @property {PlotAxis} x
 * @property {PlotAxis} [y] Absent: rows, drawn by pixels from the top.
 * @property {number} [left] Room for labels of rows.
 * @property {number} [right] Room for values of rows.
 * @property {(u: uPlot, ctx: CanvasRenderingContext2D) => void} draw
 * @property {(u: uPlot, at: { x: number, y: number, top: number }) => string} describe What is at a place, in words.
 */

const FONT = '12px system-ui, -apple-system, "Segoe UI", sans-serif';
const KEY_STEP = 0.02;
const HINT = 'Point at the chart, or use the arrow keys, to read values. Drag to zoom, Escape to reset.';

/**
 * Draws a chart into its holder, in place of the one before.
 * @param {HTMLElement} holder @param {PlotSpec} spec @param {number} width @returns {uPlot}
 */
function createPlot(holder, spec, width) {
  for (const old of holder.querySelectorAll('.uplot, .readout')) old.remove();
  const readout = element('p', 'readout', HINT);
  readout.setAttribute('aria-live', 'polite');
  const { x, y, left = 24, right = 24 } = spec;
  const plot = new uPlot(
    {
      width,
      height: spec.height,
      padding: [10, right, 0, y === undefined ? left : 0],
      legend: { show: false },
      scales: { x: scaleOf(x), y: y === undefined ? { range: [0, 1] } : scaleOf(y) },
      axes: [axisOf(x, true), y === undefined ? { show: false } : axisOf(y, false)],
      series: [{}, { paths: () => null, points: { show: false } }],
      cursor: { points: { show: false }, y: y !== undefined, drag: { x: true, y: false } },
      hooks: {
        draw: [(u) => clipped(u, () => spec.draw(u, u.ctx))],
        setCursor: [
          (u) => {
            const { left: at = -1, top = -1 } = u.cursor;
            readout.textContent =
              at < 0 || top < 0
                ? HINT
                : spec.describe(u, { x: u.posToVal(at, 'x'), y: u.posToVal(top, 'y'), top });
          },
        ],
      },
    },
    [x.range, y?.range ?? [0, 1]],
    holder,
  );
  holder.append(readout);
  makeReadable(plot, holder);
  return plot;
}

/** The arrow keys move the cursor; the readout says what is there. @param {uPlot} plot @param {HTMLElement} holder */
function makeReadable(plot, holder) {
  const { over } = plot;
  over.tabIndex = 0;
  over.setAttribute('role', 'img');
  over.setAttribute('aria-label', `${holder.getAttribute('aria-label')}. Arrow keys read the values.`);
  over.addEventListener('keydown', (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const [dx = 0, dy = 0] = moves[/** @type {keyof typeof moves} */ (event.key)] ?? [];
    if (event.key === 'Escape') plot.setData(plot.data, true);
    if (dx === 0 && dy === 0) return;
    event.preventDefault();
    const { clientWidth, clientHeight } = over;
    const { left = 0, top = 0 } = plot.cursor;
    const next = (/** @type {number} */ at, /** @type {number} */ by, /** @type {number} */ size) =>
      Math.max(0, Math.min(size, (at < 0 ? size / 2 : at) + by * Math.max(3, size * KEY_STEP)));
    plot.setCursor({ left: next(left, dx, clientWidth), top: next(top, dy, clientHeight) });
  });
}

/** @param {PlotAxis} axis @returns {uPlot.Scale} */
function scaleOf({ log }) {
  // A zoom passes its own bounds.
  const range = (/** @type {uPlot} */ _, /** @type {number} */ low, /** @type {number} */ high) =>
    /** @type {[number, number]} */ ([low, high]);
  return log ? { time: false, distr: 3, log: 10, range } : { time: false, range };
}

/** @param {PlotAxis} axis @param {boolean} isX @returns {uPlot.Axis} */
function axisOf({ label, unit, names, splits, ticks, log }, isX) {
  const { soft, faint } = theme();
  /** @type {uPlot.Axis} */
  const axis = {
    stroke: soft,
    font: FONT,
    label,
    labelFont: FONT,
    labelSize: 20,
    labelGap: isX ? 2 : 4,
    size: isX ? 34 : 62,
    space: isX ? 70 : 34,
    grid: { stroke: faint, width: 1 },
    ticks: { stroke: faint, width: 1, size: 5 },
    values: (_, found) => ticks ?? (names ? found.map((at) => names[at] ?? '') : tickTexts(found, unit)),
  };
  if (splits !== undefined) axis.splits = () => splits;
  else if (log)
    axis.splits = (u, _at, low, high) => logSplits(low, high, isX ? u.bbox.width / uPlot.pxRatio / 70 : 8);
  else if (names) axis.incrs = [1, 2, 5, 10, 20, 50, 100];
  if (splits !== undefined || log) axis.filter = (_, found) => found;
  return axis;
}

const NICE = [1, 1.1, 1.2, 1.5, 2, 3, 5, 7, 10];
const NICE_FEWER = [[1, 2, 5], [1, 3], [1]];

/** Ticks of a logarithmic axis. @param {number} low @param {number} high @param {number} most @returns {number[]} */
function logSplits(low, high, most) {
  const decades = (/** @type {number[]} */ steps) => {
    /** @type {Set<number>} */
    const found = new Set();
    for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.ceil(Math.log10(high)); power++)
      for (const step of steps) {
        const at = Number((step * 10 ** power).toPrecision(3));
        if (at >= low && at <= high) found.add(at);
      }
    return [...found].sort((a, b) => a - b);
  };
  // Below 1 the steps near it are as fine as above.
  const near = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1, 1.05].filter((at) => at >= low && at <= high);
  const fine = [...new Set([...decades(NICE), ...(low > 0.4 && high < 3 ? near : [])])].sort((a, b) => a - b);
  const choices = [fine, ...NICE_FEWER.map(decades)];
  return choices.find((found) => found.length <= Math.max(3, most)) ?? choices.at(-1) ?? [];
}

/** @param {uPlot} u @param {() => void} draw */
function clipped(u, draw) {
  const { ctx } = u;
  ctx.save();
  draw();
  ctx.restore();
}

/** Restricts what follows to the inside of the axes. @param {uPlot} u */
function clipToPlot({ ctx, bbox }) {
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
}

/**
 * A line through points; null interrupts it.
 * @param {uPlot} u @param {number[]} xs @param {(number | null)[]} ys
 * @param {{ color: string, dash: number[], step?: boolean, width?: number }} look
 */
function drawLine(u, xs, ys, { color, dash, step = false, width = 2 }) {
  const { ctx } = u;
  const ratio = uPlot.pxRatio;
  ctx.strokeStyle = color;
  ctx.lineWidth = width * ratio;
  ctx.lineJoin = 'round';
  ctx.setLineDash(dash.map((length) => length * ratio));
  ctx.beginPath();
  let open = false;
  let before = 0;
  for (const [at, x] of xs.entries()) {
    const y = ys[at];
    const px = u.valToPos(x, 'x', true);
    if (y === null || y === undefined) {
      // The last value before a gap holds until it.
      if (open && step) ctx.lineTo(px, before);
      open = false;
      continue;
    }
    const py = u.valToPos(y, 'y', true);
    if (!open) ctx.moveTo(px, py);
    else {
      if (step) ctx.lineTo(px, before);
      ctx.lineTo(px, py);
    }
    open = true;
    before = py;
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

/**
 * A line across the chart, with its label at the edge.
 * @param {uPlot} u @param {{ axis: 'x' | 'y', at: number, label: string, tone: string }} guide @param {number} index
 */
function drawGuide(u, { axis, at, label, tone }, index) {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const place = u.valToPos(at, axis, true);
  const isX = axis === 'x';
  if (
    isX
      ? place < bbox.left - 1 || place > bbox.left + bbox.width + 1
      : place < bbox.top || place > bbox.top + bbox.height
  )
    return;
  ctx.strokeStyle = toneColor(tone);
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([5 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(isX ? place : bbox.left, isX ? bbox.top : place);
  ctx.lineTo(isX ? place : bbox.left + bbox.width, isX ? bbox.top + bbox.height : place);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.fillStyle = toneColor(tone);
  ctx.font = scaledFont(600);
  const isRight = isX && place > bbox.left + bbox.width / 2;
  ctx.textAlign = isRight ? 'right' : 'left';
  ctx.textBaseline = 'top';
  const gap = 5 * ratio;
  ctx.fillText(
    label,
    isX ? place + (isRight ? -gap : gap) : bbox.left + gap,
    isX ? bbox.top + gap + (index % 4) * 15 * ratio : place + gap,
  );
}

/** The font in canvas pixels. @param {number} [weight] */
function scaledFont(weight = 400) {
  return `${weight} ${12 * uPlot.pxRatio}px system-ui, -apple-system, "Segoe UI", sans-serif`;
}

/** Text that ends in an ellipsis where it is too long. @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} width */
function fitted(ctx, text, width) {
  if (ctx.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && ctx.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
  return `${text.slice(0, end)}…`;
}

/**
 * The range of an axis, with some room. @param {number[]} values @param {{ log?: boolean, fromZero?: boolean }} axis
 * @returns {[number, number]}
 */
function rangeOf(values, { log, fromZero }) {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (low > high) return log ? [0.1, 1] : [0, 1];
  if (log) {
    const room = high > low ? (high / low) ** 0.05 : 1.5;
    return [low / room, high * room];
  }
  const least = fromZero ? Math.min(0, low) : low;
  const room = (high - least || Math.abs(high) || 1) * 0.06;
  return [least === 0 ? 0 : least - room, high + room];
}
