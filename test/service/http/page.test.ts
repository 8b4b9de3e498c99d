import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, openBrowser } from '../../support/browser.ts';
import { startStack, type TestStack, until } from '../support.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({}, 'unhurried');
});
afterAll(() => stack.close());

test('the page is one document that loads nothing else, and its policy allows nothing else', async () => {
  const response = await fetch(stack.url);
  const page = await response.text();
  const policy = response.headers.get('content-security-policy');
  expect(response.headers.get('content-type')).toMatch(/^text\/html/);
  expect(page).not.toMatch(/(src|href)="(?!data:)|url\(|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  const blocks = [...page.matchAll(/<(script|style)>(.*?)<\/\1>/gs)];
  expect(blocks).toHaveLength(4);
  for (const [, name, text = ''] of blocks) {
    const [, sources] = new RegExp(`${name}-src ([^;]*)`).exec(policy ?? '') ?? [];
    expect(sources).toContain(`'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  }
});

const inBrowser = hasBrowser('the page of the service');

describe.runIf(inBrowser)('in a browser', () => {
  test('both readers show all tokens when they arrive', { timeout: 60_000 }, async () => {
    const browser = await openBrowser();
    try {
      await browser.go(`${stack.url}/#token=${stack.token}&run=1&prompt=Hello`);
      const seen: { state: string; chunks: number; text: string }[][] = [];
      const look = () =>
        browser.evaluate<
          { state: string; chunks: number; text: string }[] | undefined
        >(`['fetch', 'source'].map((id) => {
          const pane = document.getElementById(id);
          return { state: pane.dataset.state, chunks: Number(pane.dataset.chunks), text: pane.querySelector('.text').textContent };
        })`);
      await until(async () => {
        const panes = await look();
        // Between two documents there is none to look at.
        if (panes === undefined) return false;
        seen.push(panes);
        return panes.every(({ state }) => state !== 'open' && state !== 'idle');
      }, 30_000);
      const last = seen.at(-1)!;
      expect(last.map(({ state, chunks }) => [state, chunks])).toEqual([
        ['done', 12],
        ['done', 12],
      ]);
      expect(last.every(({ text }) => text.length > 12)).toBe(true);
      for (const pane of [0, 1]) {
        const counts = new Set(
          seen.map((panes) => panes[pane]!.chunks).filter((count) => count > 0 && count < 12),
        );
        expect(counts.size).toBeGreaterThanOrEqual(2);
      }
      // The stored messages are read again when an answer has ended.
      const stored = async () =>
        browser.evaluate<string[][]>(`['fetch', 'source'].map((id) =>
          [...document.getElementById(id).querySelectorAll('.messages li')].map((item) => item.textContent))`);
      await until(async () => (await stored()).every((messages) => messages.length === 2), 30_000);
      const texts = last.map(({ text }) => text);
      expect(await stored()).toEqual(texts.map((text) => ['user Hello', `assistant ${text}`]));
      // The token does not stay where it would be copied with the address.
      expect(await browser.evaluate('location.href')).toBe(`${stack.url}/`);
    } finally {
      await browser.close();
    }
  });
});

describe.runIf(inBrowser)('the page', () => {
  /** Opens the page at an address with a model, and reads what it shows. */
  async function page(url: string, model: TestStack, hash = '') {
    const browser = await openBrowser();
    open.push(browser);
    await browser.go(`${url}/#token=${model.token}&prompt=Hello${hash}`);
    const panes = () =>
      browser.evaluate<{ state: string; chunks: number; text: string; messages: string[] }[]>(
        `['fetch', 'source'].map((id) => document.getElementById(id)).map((pane) => ({
          state: pane.dataset.state,
          chunks: Number(pane.dataset.chunks),
          text: pane.querySelector('.text').textContent,
          messages: [...pane.querySelectorAll('.messages li')].map((item) => item.textContent),
        }))`,
      );
    return { browser, panes };
  }

  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const item of open.splice(0).reverse()) await item.close();
  });

  test('sends and cancels by keyboard; the partial answers are stored and shown', {
    timeout: 90_000,
  }, async () => {
    const long = await startStack({}, 'long');
    open.push(long);
    const { browser, panes } = await page(long.url, long);
    await browser.evaluate(`document.getElementById('prompt').focus()`);
    await browser.key('Enter', 2);
    await until(async () => (await panes()).every(({ chunks }) => chunks > 2), 30_000);
    await browser.key('Escape');
    await until(
      async () =>
        (await panes()).every(({ state, messages }) => state === 'stopped' && messages.length === 2),
      30_000,
    );
    for (const { messages, text } of await panes()) {
      expect(messages[1]).toBe(`assistant (cancelled) ${text}`);
    }
  });

  test('every control can be reached by the Tab key, and shows where the focus is', {
    timeout: 90_000,
  }, async () => {
    const { browser } = await page(stack.url, stack);
    await browser.evaluate('document.activeElement.blur()');
    const wanted = await browser.evaluate<number>(
      `document.querySelectorAll('textarea, input, select, button').length`,
    );
    const reached = new Set<string>();
    for (let i = 0; i < wanted; i++) {
      await browser.key('Tab');
      const [name = '', outline] = await browser.evaluate<string[]>(`(() => {
        const element = document.activeElement;
        const all = [...document.querySelectorAll('textarea, input, select, button')];
        return [String(all.indexOf(element)), getComputedStyle(element).outlineStyle];
      })()`);
      reached.add(name);
      expect(outline).toBe('solid');
    }
    expect(reached.size).toBe(wanted);
    const unnamed =
      await browser.evaluate<number>(`[...document.querySelectorAll('textarea, input, select, button')]
      .filter((one) => !one.labels?.length && !one.ariaLabel && !one.textContent.trim()).length`);
    expect(unnamed).toBe(0);
  });

  test('fits a phone: no sideways scrolling, and controls as large as a finger', {
    timeout: 90_000,
  }, async () => {
    const { browser, panes } = await page(stack.url, stack);
    await browser.command('Emulation.setDeviceMetricsOverride', {
      width: 360,
      height: 740,
      deviceScaleFactor: 2,
      mobile: true,
    });
    await browser.evaluate(`document.getElementById('form').requestSubmit()`);
    await until(async () => (await panes()).every(({ state }) => state === 'done'), 30_000);
    const [scroll, width, least] = await browser.evaluate<number[]>(`[
      document.documentElement.scrollWidth, innerWidth,
      Math.min(...[...document.querySelectorAll('button, input, select')].map((one) => one.getBoundingClientRect().height)),
    ]`);
    expect([width, scroll]).toEqual([360, 360]);
    expect(least).toBeGreaterThanOrEqual(44);
  });

  test('both readers reconnect when the connection breaks, and miss nothing', {
    timeout: 90_000,
  }, async () => {
    // Between the browser and the service: a relay whose connections the test cuts.
    const sockets = new Set<Socket>();
    const relay = createServer((socket) => {
      const service = connect(Number(new URL(stack.url).port), '127.0.0.1');
      for (const [one, other] of [
        [socket, service],
        [service, socket],
      ] as const) {
        sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    open.push({
      close: () =>
        new Promise((resolve) => {
          relay.close(() => resolve());
          for (const socket of sockets) socket.destroy();
        }),
    });
    const { port } = relay.address() as AddressInfo;
    const { panes } = await page(`http://127.0.0.1:${port}`, stack, '&run=1');
    await until(async () => (await panes()).every(({ chunks }) => chunks > 1), 30_000);
    for (const socket of sockets) socket.destroy();
    await until(
      async () => (await panes()).every(({ state, messages }) => state === 'done' && messages.length === 2),
      30_000,
    );
    for (const { chunks, text, messages } of await panes()) {
      expect(chunks).toBe(12);
      expect(messages[1]).toBe(`assistant ${text}`);
    }
  });
});
