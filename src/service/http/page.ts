import { createHash } from 'node:crypto';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';

const pane = (id: string, title: string, how: string, mode: 'real' | 'legacy') => `
    <section class="pane" id="${id}" data-state="idle" data-chunks="0" aria-label="${title}">
      <h2>${title} <span>${how}</span>
        <select class="mode" aria-label="mode of ${title}">
          <option value="real"${mode === 'real' ? ' selected' : ''}>real</option>
          <option value="legacy"${mode === 'legacy' ? ' selected' : ''}>legacy</option>
        </select>
      </h2>
      <div class="text" aria-live="polite"></div>
      <div class="chips"></div>
      <svg class="strip" viewBox="0 0 1000 34" preserveAspectRatio="none" role="img" aria-label="arrival of the chunks"></svg>
      <dl>
        <dt>first token</dt><dd class="first">–</dd>
        <dt>chunks</dt><dd class="chunks">0</dd>
        <dt>rate</dt><dd class="rate">–</dd>
        <dt>total</dt><dd class="total">–</dd>
      </dl>
    </section>`;

/** The page at `/`: everything in one document. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="icon" href="data:,">
  <title>streambench serve</title>
  <style>${PAGE_STYLE}</style>
</head>
<body>
  <header>
    <h1>streambench serve</h1>
    <p>the same answer, read in two ways, as it comes</p>
    <div id="health">…</div>
  </header>
  <main>
    <form id="form">
      <textarea id="prompt" aria-label="message">My name is Ada. What is (2 + 3) * 4, and how do tokens travel to a browser?</textarea>
      <div class="row">
        <label>token <input id="token" type="password" autocomplete="off" placeholder="JWT" required></label>
        <label>endpoint of the fetch reader
          <select id="endpoint">
            <option value="agent">agent</option>
            <option value="conversation">conversation</option>
            <option value="playground">playground</option>
            <option value="chat">chat</option>
          </select>
        </label>
        <label>text buffer, characters <input id="buffer" type="number" min="0" max="1000" value="0"></label>
        <label>delay between texts, ms <input id="delay" type="number" min="0" max="1000" value="0"></label>
        <button type="submit">Send</button>
        <button type="button" class="quiet" id="stop">Stop</button>
      </div>
    </form>
    <div class="panes">${pane('fetch', 'fetch reader', 'POST, bearer token', 'real')}${pane('source', 'EventSource', 'GET, one-time ticket', 'real')}
    </div>
    <p class="note">Every mark on a strip is a chunk. Set one side to “legacy” to see an answer that is generated whole before it is cut into chunks: the same text, and all marks at the end.</p>
  </main>
  <script>${PAGE_SCRIPT}</script>
</body>
</html>
`;

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The page's content security policy: its own style and script, requests to its own origin, and nothing else. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src ${hash(PAGE_STYLE)}`,
  `script-src ${hash(PAGE_SCRIPT)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
