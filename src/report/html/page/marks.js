// Charts of lines, of rows with intervals, and of the requests over the run.

/** @typedef {import('../chart.ts').LinesChart} LinesChart */
/** @typedef {import('../chart.ts').RowsChart} RowsChart */
/** @typedef {import('../chart.ts').TimelineChart} TimelineChart */

/** Marks of a verdict: not by color alone. @type {Record<string, string>} */
const TONE_SHAPES = { good: 'dot', bad: 'cross', unknown: 'ring', neutral: 'dot' };

/** @param {LinesChart} chart @param {View} view @returns {PlotSpec} */
function linesPlot({ x, y, lines, guides, missing = [] }, { width }) {
  const xs = lines.flatMap((line) => line.x);
  const ys = lines.flatMap((line) => line.y.flatMap((value) => value ?? []));
  const on = (/** @type {'x' | 'y'} */ axis) =>
    guides.filter((guide) => guide.axis === axis).map(({ at }) => at);
  return {
    height: Math.min(320, Math.max(220, width * 0.45)),
    x: { ...x, range: x.names ? [-0.5, x.names.length - 0.5] : rangeOf([...xs, ...on('x')], x) },
    y: { ...y, range: y.range ?? rangeOf([...ys, ...on('y')], y) },
    draw(u, ctx) {
      for (const [index, guide] of guides.entries()) drawGuide(u, guide, index);
      clipToPlot(u);
      ctx.strokeStyle = toneColor('bad');
      ctx.lineWidth = 2 * uPlot.pxRatio;
      const bottom = u.bbox.top + u.bbox.height - 8 * uPlot.pxRatio;
      for (const at of missing) drawMark(ctx, 'cross', u.valToPos(at, 'x', true), bottom, 4 * uPlot.pxRatio);
      for (const line of lines) {
        const look = styleOf(line.style);
        if (line.joined !== false) drawLine(u, line.x, line.y, { ...look, step: line.step ?? false });
        for (const [at, tone] of (line.tones ?? []).entries()) {
          const value = line.y[at];
          if (value === null || value === undefined) continue;
          ctx.fillStyle = tone === 'neutral' ? look.color : toneColor(tone);
          ctx.strokeStyle = ctx.fillStyle;
          ctx.lineWidth = 2 * uPlot.pxRatio;
          drawMark(
            ctx,
            TONE_SHAPES[tone] ?? 'dot',
            u.valToPos(line.x[at] ?? 0, 'x', true),
            u.valToPos(value, 'y', true),
            4.5 * uPlot.pxRatio,
          );
        }
      }
    },
    describe(_, at) {
      const place = x.names ? Math.round(at.x) : at.x;
      const parts = lines.flatMap((line) => {
        const index = line.step ? line.x.findLastIndex((one) => one <= place) : nearest(line.x, place);
        const value = line.y[index];
        return value === null || value === undefined ? [] : `${line.name} ${valueText(value, y.unit)}`;
      });
      if (missing.includes(place)) parts.push('no value');
      const [first] = lines;
      const where = x.names
        ? (x.names[place] ?? '')
        : valueText(first === undefined || first.step ? place : first.x[nearest(first.x, place)], x.unit);
      return `${where}: ${parts.join(', ')}`;
    },
  };
}

/** The index of the closest value. @param {number[]} values @param {number} wanted */
function nearest(values, wanted) {
  let best = 0;
  for (const [index, value] of values.entries())
    if (Math.abs(value - wanted) < Math.abs((values[best] ?? 0) - wanted)) best = index;
  return best;
}

const NARROW = 560;

/** @param {RowsChart} chart @param {View} view @returns {PlotSpec} */
function rowsPlot({ x, rows, zero, band, legend }, { width }) {
  const isNarrow = width < NARROW;
  const rowHeight = isNarrow ? 40 : 28;
  const longest = Math.max(...rows.map(({ label }) => label.length));
  const left = isNarrow ? 12 : Math.min(width * 0.35, 24 + longest * 7);
  const right = isNarrow ? 12 : 24 + Math.max(...rows.map(({ text }) => text.length)) * 7;
  const values = rows.flatMap(({ marks, span = [] }) => [
    ...marks.map(({ at }) => at),
    ...span.flatMap((end) => end ?? []),
  ]);
  // Differences of less than a tenth do not fill the chart.
  const least =
    zero === undefined ? [] : x.log ? [zero / 1.1, zero, zero * 1.1] : [zero - 0.1, zero, zero + 0.1];
  const all = [...values, ...least, ...(band ?? [])];
  const legendHeight = legend.length > 0 ? 24 * (isNarrow ? legend.length : 1) : 0;
  const top = (/** @type {uPlot} */ u, /** @type {number} */ row) =>
    u.bbox.top + (legendHeight + (row + 0.5) * rowHeight + (isNarrow ? 8 : 0)) * uPlot.pxRatio;
  return {
    height: legendHeight + rows.length * rowHeight + 74,
    x: { ...x, range: rangeOf(all, x) },
    left,
    right,
    draw(u, ctx) {
      const ratio = uPlot.pxRatio;
      const { ink, soft, faint } = theme();
      const { bbox } = u;
      const px = (/** @type {number} */ value) => u.valToPos(value, 'x', true);
      if (band !== undefined) {
        ctx.fillStyle = faint;
        ctx.fillRect(px(band[0]), bbox.top, px(band[1]) - px(band[0]), bbox.height);
      }
      if (zero !== undefined) {
        ctx.strokeStyle = soft;
        ctx.lineWidth = 1.5 * ratio;
        ctx.beginPath();
        ctx.moveTo(px(zero), bbox.top);
        ctx.lineTo(px(zero), bbox.top + bbox.height);
        ctx.stroke();
      }
      ctx.font = scaledFont();
      ctx.textBaseline = 'middle';
      ctx.textAlign = 'left';
      let at = bbox.left;
      for (const [index, { shape, label }] of legend.entries()) {
        const y = bbox.top + (isNarrow ? (index + 0.5) * 22 : 10) * ratio;
        if (isNarrow) at = bbox.left;
        ctx.fillStyle = shapeColor(shape);
        drawMark(ctx, shape, at + 6 * ratio, y, 5 * ratio);
        ctx.fillStyle = ink;
        ctx.fillText(label, at + 18 * ratio, y);
        at += ctx.measureText(label).width + 40 * ratio;
      }
      for (const [index, { label, tone, marks, span, text }] of rows.entries()) {
        const y = top(u, index);
        const color = toneColor(tone);
        ctx.fillStyle = ink;
        ctx.textAlign = isNarrow ? 'left' : 'right';
        const room = isNarrow ? bbox.width : bbox.left - 14 * ratio;
        ctx.fillText(
          fitted(ctx, isNarrow && text !== '' ? `${label}: ${text}` : label, room),
          isNarrow ? bbox.left : bbox.left - 10 * ratio,
          isNarrow ? y - 17 * ratio : y,
        );
        if (span !== undefined) drawSpan(u, span, y, color);
        for (const mark of marks) {
          ctx.fillStyle = legend.length > 0 ? shapeColor(mark.shape) : color;
          ctx.strokeStyle = ctx.fillStyle;
          ctx.lineWidth = 2 * ratio;
          drawMark(
            ctx,
            legend.length > 0 ? mark.shape : (TONE_SHAPES[tone] ?? 'dot'),
            px(mark.at),
            y,
            5 * ratio,
          );
        }
        if (isNarrow) continue;
        ctx.textAlign = 'left';
        ctx.fillStyle = soft;
        ctx.fillText(text, bbox.left + bbox.width + 10 * ratio, y);
      }
    },
    describe(_, { top: at }) {
      const row = rows[Math.floor((at - legendHeight) / rowHeight)];
      if (row === undefined) return '';
      const marks = row.marks.map(({ shape, at: value }) => {
        const name = legend.find((one) => one.shape === shape)?.label;
        return `${name === undefined ? '' : `${name} `}${valueText(value, x.unit)}`;
      });
      const [low, high] = row.span ?? [];
      const span =
        row.span === undefined || legend.length > 0
          ? ''
          : ` (${low == null ? 'open' : valueText(low, x.unit)} to ${high == null ? 'open' : valueText(high, x.unit)})`;
      return `${row.label}: ${marks.join(', ')}${span}`;
    },
  };
}

/** @param {string} shape */
function shapeColor(shape) {
  const { series, ink } = theme();
  return series[{ dot: 0, square: 2, diamond: 1 }[shape] ?? 0] ?? ink;
}

/** An interval; an open end has an arrow. @param {uPlot} u @param {[number | null, number | null]} span @param {number} y @param {string} color */
function drawSpan(u, [low, high], y, color) {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const from = low === null ? bbox.left : u.valToPos(low, 'x', true);
  const to = high === null ? bbox.left + bbox.width : u.valToPos(high, 'x', true);
  ctx.strokeStyle = color;
  ctx.lineWidth = 2.5 * ratio;
  ctx.beginPath();
  ctx.moveTo(from, y);
  ctx.lineTo(to, y);
  for (const [end, value, side] of /** @type {[number, number | null, number][]} */ ([
    [from, low, 1],
    [to, high, -1],
  ])) {
    const size = 5 * ratio;
    if (value === null) {
      ctx.moveTo(end + side * size, y - size);
      ctx.lineTo(end, y);
      ctx.lineTo(end + side * size, y + size);
    } else {
      ctx.moveTo(end, y - size);
      ctx.lineTo(end, y + size);
    }
  }
  ctx.stroke();
}

/** @param {TimelineChart} chart @param {View} view @returns {PlotSpec} */
function timelinePlot(
  { start, end, cells, failures, outcomes, stalls },
  { isShown, cellStyle, width, names },
) {
  const shown = cells.filter(({ cell }) => isShown(cell));
  const failed = failures
    .filter(({ cell }) => isShown(cell))
    .flatMap(({ cell, x, outcome }) => x.map((at, index) => ({ cell, x: at, outcome: outcome[index] ?? 0 })));
  const stalled = stalls
    .filter(({ cell }) => isShown(cell))
    .flatMap(({ x, y, longest }) =>
      x.map((at, index) => ({ x: at, y: y[index] ?? 0, longest: longest[index] ?? 0 })),
    );
  const values = shown.flatMap(({ y }) => y).map((value) => Math.max(0.1, value));
  const y = { label: 'TTFT', unit: 'ms', ...scaleFor(values) };
  const count = shown.reduce((sum, { x }) => sum + x.length, 0);
  const size = count > 3000 ? 1.6 : count > 600 ? 2.2 : 3.2;
  const room = (end - start || 1000) * 0.02;
  return {
    height: Math.min(380, Math.max(260, width * 0.5)),
    x: { label: 'time since the start of the run', unit: 'seconds', range: [start - room, end + room] },
    y,
    draw(u, ctx) {
      const ratio = uPlot.pxRatio;
      clipToPlot(u);
      for (const { cell, x, y: own } of shown) {
        const { color, shape } = cellStyle(cell);
        ctx.fillStyle = color;
        ctx.strokeStyle = color;
        ctx.lineWidth = 1.5 * ratio;
        ctx.globalAlpha = count > 1500 ? 0.6 : 0.85;
        for (const [at, time] of x.entries())
          drawMark(
            ctx,
            shape,
            u.valToPos(time, 'x', true),
            u.valToPos(Math.max(0.1, own[at] ?? 0), 'y', true),
            size * ratio,
          );
      }
      ctx.globalAlpha = 1;
      ctx.lineWidth = 2 * ratio;
      ctx.strokeStyle = toneColor('bad');
      ctx.fillStyle = toneColor('bad');
      for (const { x, y: own } of stalled)
        drawMark(
          ctx,
          'triangle',
          u.valToPos(x, 'x', true),
          u.valToPos(Math.max(0.1, own), 'y', true),
          4.5 * ratio,
        );
      for (const { x } of failed)
        drawMark(ctx, 'cross', u.valToPos(x, 'x', true), u.bbox.top + 9 * ratio, 4 * ratio);
    },
    describe(u, { x, y: value, top }) {
      const near = (/** @type {number} */ at) => Math.abs(u.valToPos(at, 'x') - u.valToPos(x, 'x'));
      if (top < 18) {
        const failure = failed.filter((one) => near(one.x) < 12).sort((a, b) => near(a.x) - near(b.x))[0];
        if (failure)
          return `${valueText(failure.x, 'seconds')}: ${outcomes[failure.outcome] ?? 'failed'}, ${names[failure.cell] ?? ''}`;
      }
      let best = { far: Number.POSITIVE_INFINITY, text: '' };
      for (const { cell, x: times, y: own } of shown)
        for (const [at, time] of times.entries()) {
          const far =
            near(time) ** 2 + (u.valToPos(Math.max(0.1, own[at] ?? 0), 'y') - u.valToPos(value, 'y')) ** 2;
          if (far < best.far)
            best = {
              far,
              text: `${valueText(time, 'seconds')}: TTFT ${valueText(own[at], 'ms')}, ${names[cell] ?? ''}`,
            };
        }
      const stall = stalled.find((one) => near(one.x) < 5);
      return `${best.text}${stall ? `; stall of ${valueText(stall.longest, 'ms')}` : ''}`;
    },
  };
}

/** Values that span more than this factor are drawn on a logarithmic axis. */
const LOG_FROM = 30;

/** @param {number[]} values @returns {{ log: boolean, range: [number, number] }} */
function scaleFor(values) {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  const log = low > 0 && high / low > LOG_FROM;
  return { log, range: rangeOf(values, { log, fromZero: true }) };
}
