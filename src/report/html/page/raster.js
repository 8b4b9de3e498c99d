// The arrival raster: a row for each request, a tick for each arrival of content.

/** @typedef {import('../chart.ts').RasterChart} RasterChart */

const HEADING = 20;
const GROUP_GAP = 8;
const LEGEND = 22;

/** @param {RasterChart} chart @param {View} view @returns {PlotSpec} */
function rasterPlot({ rows, outcomes }, { isShown, cellStyle, names, width }) {
  const shown = rows.filter(({ cell }) => isShown(cell));
  const end = placedEnd(shown);
  const height = shown.length > 200 ? 3 : shown.length > 100 ? 4 : shown.length > 40 ? 6 : 10;
  const hasFailed = shown.some(({ failed }) => failed !== undefined);
  const legendLines = width < NARROW ? 3 + Number(hasFailed) : 1;
  /** Where each row is, from the top. */
  let offset = LEGEND * legendLines;
  let before = -1;
  const placed = shown.map((row) => {
    const isFirst = row.cell !== before;
    if (isFirst) offset += HEADING + (before === -1 ? 0 : GROUP_GAP);
    before = row.cell;
    const top = offset;
    offset += height;
    let at = 0;
    return { row, top, isFirst, arrivals: row.arrivals.map((delta) => (at += delta)) };
  });
  return {
    height: offset + 68,
    x: { label: 'time since the request was sent', unit: 'ms', range: [0, end * 1.02 || 1] },
    draw(u, ctx) {
      const ratio = uPlot.pxRatio;
      const { ink, soft, faint } = theme();
      const px = (/** @type {number} */ ms) => u.valToPos(ms, 'x', true);
      drawRasterLegend(u, hasFailed, width);
      ctx.font = scaledFont(600);
      ctx.textAlign = 'left';
      ctx.textBaseline = 'middle';
      for (const { row, top, isFirst } of placed) {
        if (!isFirst) continue;
        ctx.fillStyle = ink;
        ctx.fillText(
          fitted(ctx, names[row.cell] ?? '', u.bbox.width),
          u.bbox.left,
          u.bbox.top + (top - HEADING / 2) * ratio,
        );
      }
      clipToPlot(u);
      const size = Math.max(1, height - (height > 4 ? 2 : 0.5)) * ratio;
      for (const { row, top, arrivals } of placed) {
        const y = u.bbox.top + top * ratio;
        const middle = y + size / 2;
        const { color } = cellStyle(row.cell);
        const [first, last = 0] = [arrivals[0], arrivals.at(-1)];
        const over = row.end ?? last;
        ctx.fillStyle = faint;
        ctx.fillRect(px(0), y, px(first ?? over) - px(0), size);
        ctx.fillStyle = color;
        if (first !== undefined) {
          ctx.globalAlpha = 0.16;
          ctx.fillRect(px(first), y, px(over) - px(first), size);
          ctx.globalAlpha = 1;
        }
        const apart = (px(last) - px(first ?? last)) / ratio / Math.max(1, arrivals.length - 1);
        const tick = Math.max(1, Math.min(2.5, apart / 2.5)) * ratio;
        for (const arrival of arrivals) ctx.fillRect(px(arrival) - tick / 2, y, tick, size);
        if (row.byte !== undefined) {
          ctx.fillStyle = soft;
          ctx.fillRect(px(row.byte) - ratio / 2, y, ratio, size);
        }
        ctx.fillStyle = color;
        const flush = row.flush === undefined ? undefined : arrivals[row.flush];
        if (flush !== undefined)
          drawMark(ctx, 'diamond', px(flush), middle, Math.max(3, height / 2.2) * ratio);
        if (row.failed !== undefined) {
          ctx.strokeStyle = toneColor('bad');
          ctx.lineWidth = 2 * ratio;
          drawMark(
            ctx,
            'cross',
            px(row.end ?? arrivals.at(-1) ?? 0),
            middle,
            Math.max(3, height / 2.4) * ratio,
          );
        }
      }
    },
    describe(_, { x, top }) {
      const found = placed.findLast((one) => one.top <= top);
      if (found === undefined || top > found.top + height) return '';
      const { row, arrivals } = found;
      const by = arrivals.filter((arrival) => arrival <= x).length;
      const first =
        arrivals[0] === undefined ? 'no content' : `first content ${valueText(arrivals[0], 'ms')}`;
      const outcome = row.failed === undefined ? '' : `, ${outcomes[row.failed] ?? 'failed'}`;
      return `${names[row.cell] ?? ''}: ${first}, end ${valueText(row.end, 'ms')}${outcome}; by ${valueText(x, 'ms')} ${by} of ${arrivals.length} arrivals`;
    },
  };
}

/** The longest of the rows that are shown. @param {RasterChart['rows']} rows */
function placedEnd(rows) {
  const ends = rows.map(({ end, arrivals }) => end ?? arrivals.reduce((sum, delta) => sum + delta, 0));
  return ends.reduce((most, end) => Math.max(most, end), 0);
}

/** @param {uPlot} u @param {boolean} hasFailed @param {number} width */
function drawRasterLegend(u, hasFailed, width) {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const { ink, soft } = theme();
  const items = [
    { label: 'content arrived', color: ink, shape: 'tick' },
    { label: 'first byte of the body', color: soft, shape: 'tick' },
    { label: 'half of the answer or more at once', color: ink, shape: 'diamond' },
    ...(hasFailed ? [{ label: 'failed or cut', color: toneColor('bad'), shape: 'cross' }] : []),
  ];
  ctx.font = scaledFont();
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  let x = bbox.left;
  let y = bbox.top + 9 * ratio;
  for (const { label, color, shape } of items) {
    ctx.fillStyle = color;
    ctx.strokeStyle = color;
    ctx.lineWidth = 2 * ratio;
    if (shape === 'tick') ctx.fillRect(x + 5 * ratio, y - 5 * ratio, 1.5 * ratio, 10 * ratio);
    else drawMark(ctx, shape, x + 6 * ratio, y, 4 * ratio);
    ctx.fillStyle = soft;
    ctx.fillText(label, x + 15 * ratio, y);
    if (width < NARROW) y += LEGEND * ratio;
    else x += ctx.measureText(label).width + 36 * ratio;
  }
}
