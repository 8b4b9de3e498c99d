import { readAssets } from './assets.ts';
import type { Chart, ChartCell, PageData } from './chart.ts';
import { embeddedJson, html, Markup } from './markup.ts';

/** A chart on a page, with what a reader who does not see it gets instead. */
export interface Figure {
  title: string;
  /** What the chart shows, in a sentence or two. */
  summary: string;
  /** How to read it: shapes, and what was left out. */
  notes: readonly string[];
  chart: Chart;
  /** The values as a table. */
  table?: Markup;
}

/** A part of a page with a heading. */
export interface PagePart {
  /** For links within the page. */
  id: string;
  title: string;
  content: readonly (Markup | Figure)[];
  /** True for the charts of cells, above which the cells can be chosen. */
  ofCells?: boolean;
}

/** A page. */
export interface Page {
  /** In the window's title and as the heading. */
  title: string;
  /** Paragraphs below the heading. */
  lead?: readonly string[];
  parts: readonly PagePart[];
  cells?: readonly ChartCell[];
  /** What it was made from, at the end. */
  footer: readonly string[];
}

/**
 * A page as one file that loads nothing: light and dark, for a screen, a phone and paper. Everything but the charts can be read
 * without its script.
 */
export function renderPage({ title, lead = [], parts, cells = [], footer }: Page): string {
  const { style, scripts, policy } = readAssets();
  const charts: Chart[] = [];
  const shown = parts.filter(({ content }) => content.length > 0);
  const body = shown.map((part) => section(part, cells, charts));
  const data: PageData = { cells: [...cells], charts };
  return `${
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<a class="skip" href="#${shown[0]?.id ?? ''}">Skip to the result</a>
<header>
<div><h1>${title}</h1>${lead.map((text) => html`<p class="lead">${text}</p>`)}</div>
<button type="button" id="theme" hidden>Dark</button>
</header>
<nav aria-label="Sections"><ul>${shown.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main>
${body}
</main>
<footer>${footer.map((line) => html`<p>${line}</p>`)}</footer>
<script type="application/json" id="data">${embeddedJson(data)}</script>
${scripts.map((script) => html`<script>${new Markup(script)}</script>\n`)}</body>
</html>`.text
  }\n`;
}

function section(
  { id, title, content, ofCells }: PagePart,
  cells: readonly ChartCell[],
  charts: Chart[],
): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${ofCells && cells.length > 1 ? html`<fieldset class="cells" data-cells hidden><legend>Cells</legend></fieldset>` : undefined}
${content.map((item) => (item instanceof Markup ? item : figure(item, charts)))}
</section>
`;
}

function figure({ title, summary, notes, chart, table }: Figure, charts: Chart[]): Markup {
  const index = charts.push(chart) - 1;
  return html`<figure>
<figcaption><h3>${title}</h3><p>${summary}</p></figcaption>
<div class="plot" data-chart="${index}" role="group" aria-label="Chart: ${title}"><noscript>This chart needs JavaScript.</noscript></div>
${notes.map((note) => html`<p class="note">${note}</p>`)}
${table === undefined ? undefined : html`<details><summary>Values of this chart as a table</summary>${table}</details>`}
</figure>
`;
}
