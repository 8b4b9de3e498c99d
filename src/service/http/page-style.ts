/** The look of the page at `/`. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --panel: #ffffff; --line: #dfe3e8; --ink: #16191d; --soft: #667080;
  --accent: #0b6bcb; --accent-ink: #ffffff; --think: #8a6d1d; --good: #1a7f37; --bad: #c4281c; --tick: #0b6bcb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1216; --panel: #171b21; --line: #2a3038; --ink: #e8ebef; --soft: #939daa;
    --accent: #4a9df0; --accent-ink: #08121d; --think: #d6b85a; --good: #56c271; --bad: #ff7b6e; --tick: #4a9df0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
}
header, main { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
header { display: flex; align-items: baseline; gap: 14px; padding-top: 26px; padding-bottom: 6px; }
h1 { font-size: 20px; margin: 0; letter-spacing: -0.01em; }
header p { margin: 0; color: var(--soft); }
#health { margin-left: auto; font-size: 13px; color: var(--soft); font-variant-numeric: tabular-nums; }
#health::before {
  content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 7px; border-radius: 50%;
  background: var(--soft);
}
#health.up::before { background: var(--good); }
#health.down::before { background: var(--bad); }
form { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 14px; margin: 14px 0; }
textarea, input, select {
  width: 100%; padding: 8px 10px; font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: 8px;
}
textarea { min-height: 62px; resize: vertical; }
:is(textarea, input, select, button):focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.row { display: flex; gap: 12px; margin-top: 10px; align-items: end; flex-wrap: wrap; }
.row label { flex: 1 1 150px; font-size: 12px; color: var(--soft); }
.row label > * { margin-top: 3px; font-size: 14px; }
button {
  font: inherit; font-weight: 600; padding: 8px 22px; border: 0; border-radius: 8px; cursor: pointer;
  color: var(--accent-ink); background: var(--accent);
}
button[disabled] { opacity: 0.5; cursor: default; }
button.quiet { background: none; color: var(--soft); border: 1px solid var(--line); font-weight: 400; }
.panes { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 16px; padding-bottom: 40px; }
.pane { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; min-width: 0; }
.pane h2 { font-size: 14px; margin: 0; display: flex; gap: 8px; align-items: center; }
.pane h2 span { font-weight: 400; color: var(--soft); }
.pane h2 select { width: auto; margin-left: auto; padding: 3px 8px; font-size: 13px; }
.text { min-height: 150px; margin: 12px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.text span { animation: come 0.35s ease-out; }
.text .thinking { color: var(--think); font-style: italic; }
.text .error { color: var(--bad); }
.text.open::after { content: "\\2588"; color: var(--accent); animation: blink 1s steps(2) infinite; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin-bottom: 12px; }
.chips code {
  font-size: 12px; padding: 2px 8px; border: 1px solid var(--line); border-radius: 99px; color: var(--soft);
  overflow-wrap: anywhere;
}
.strip { display: block; width: 100%; height: 34px; border-radius: 6px; background: var(--ground); }
.strip line { stroke: var(--tick); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.strip line.thinking { stroke: var(--think); }
dl { display: grid; grid-template-columns: repeat(4, auto); gap: 2px 14px; margin: 10px 0 0; justify-content: space-between; }
dt { font-size: 12px; color: var(--soft); grid-row: 1; }
dd { margin: 0; font-variant-numeric: tabular-nums; grid-row: 2; font-weight: 600; }
.note { font-size: 12px; color: var(--soft); margin: 8px 0 0; }
@keyframes come { from { opacity: 0; filter: blur(2px); } }
@keyframes blink { 50% { opacity: 0; } }
@media (prefers-reduced-motion: reduce) { .text span, .text.open::after { animation: none; } }
`;
