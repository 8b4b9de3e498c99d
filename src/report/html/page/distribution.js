// Distributions: the share of values up to a time, and the percentiles.

/** @typedef {import('../chart.ts').DistributionChart} DistributionChart */

/** The percentiles with a tick. */
const PERCENTILE_TICKS = [0, 0.5, 0.9, 0.99, 0.999, 0.9999];

/** The place of a percentile: each nine has the same room. @param {number} share */
function ninesOf(share) {
  return -Math.log10(Math.max(1e-6, 1 - share));
}

/** @param {number} share */
function percentileName(share) {
  return `p${trimmed((share * 100).toFixed(2))}`;
}

/** The share of values up to each of a curve's values. @param {DistributionChart['curves'][number]} curve @param {number[]} grid */
function sharesOf({ values, sampled }, grid) {
  return sampled ? grid : values.map((_, index) => (index + 1) / values.length);
}

/** @param {DistributionChart} chart @param {View} view @returns {PlotSpec} */
function distributionPlot({ label, unit, grid, curves }, { isShown, cellStyle, width, names, mode }) {
  const shown = curves
    .filter(({ cell }) => isShown(cell))
    .map((curve) => ({
      ...curve,
      values: curve.values.map((value) => (unit === 'ms' ? Math.max(0.05, value) : value)),
      shares: sharesOf(curve, grid),
    }));
  const values = shown.flatMap((curve) => curve.values);
  const scale = scaleFor(values);
  const height = Math.min(340, Math.max(240, width * 0.5));
  const lines = (
    /** @type {uPlot} */ u,
    /** @type {(curve: typeof shown[number]) => { x: number[], y: number[] }} */ points,
  ) => {
    clipToPlot(u);
    for (const curve of shown) {
      const { x, y } = points(curve);
      drawLine(u, x, y, { ...cellStyle(curve.cell), step: true });
    }
  };
  /** The value at a share, by the rank. @param {typeof shown[number]} curve @param {number} share */
  const valueAt = (curve, share) =>
    curve.values[
      Math.max(
        0,
        curve.shares.findIndex((one) => one >= share - 1e-9),
      )
    ];
  if (mode === 'percentiles') {
    const most = Math.max(1, ...shown.map(({ n }) => Math.log10(2 * n)));
    const end = Math.min(4.3, most);
    const ticks = PERCENTILE_TICKS.filter((share) => ninesOf(share) <= end);
    return {
      height,
      x: {
        label: 'percentile',
        unit: 'count',
        range: [0, end],
        splits: ticks.map(ninesOf),
        ticks: ticks.map(percentileName),
      },
      y: { label, unit, ...scale },
      draw: (u) =>
        lines(u, ({ values: own, shares, sampled, n }) => ({
          // A value holds from the share before it up to its own.
          x: [...own.map((_, at) => ninesOf(sampled ? (shares[at] ?? 0) : at / n)), Math.log10(2 * n)],
          y: [...own, own.at(-1) ?? 0],
        })),
      describe(_, { x }) {
        const share = 1 - 10 ** -x;
        const parts = shown.map(
          (curve) => `${names[curve.cell] ?? ''} ${valueText(valueAt(curve, share), unit)}`,
        );
        return `${percentileName(share)}: ${parts.join(', ')}`;
      },
    };
  }
  return {
    height,
    x: { label, unit, ...scale },
    y: {
      label: 'share of values',
      unit: 'ratio',
      range: [0, 1.02],
      splits: [0, 0.25, 0.5, 0.75, 1],
      ticks: ['0 %', '25 %', '50 %', '75 %', '100 %'],
    },
    draw: (u) =>
      lines(u, ({ values: own, shares }) => ({
        x: [own[0] ?? 0, ...own],
        y: [0, ...shares],
      })),
    describe(_, { x }) {
      const parts = shown.map(({ cell, values: own, shares }) => {
        const at = own.findLastIndex((value) => value <= x);
        return `${names[cell] ?? ''} ${valueText(at === -1 ? 0 : (shares[at] ?? 1), 'ratio')}`;
      });
      return `up to ${valueText(x, unit)}: ${parts.join(', ')}`;
    },
  };
}
