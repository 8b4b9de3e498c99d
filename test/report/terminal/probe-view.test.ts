import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/model/record.ts';
import { type ProbeReport, probeJson, wholeAnswers } from '../../../src/report/probe-report.ts';
import { type ProbeViewOptions, probeView } from '../../../src/report/terminal/probe-view.ts';
import { displayWidth } from '../../../src/report/text-width.ts';
import { probeReport, probeRequest, warmRequest } from '../probes.ts';

function view(report: ProbeReport, options: Partial<ProbeViewOptions> = {}): string {
  return probeView(report, { width: 80, color: 0, ...options });
}

const full = probeReport([probeRequest(), warmRequest(), warmRequest()]);

const plainRequest = probeRequest({
  outcome: { kind: 'cancelled', message: 'stopped: it would have gone on' },
});
const ticker = probeReport([{ ...plainRequest, stopped: { by: 'time', afterMs: 1000 } }], {
  url: 'http://127.0.0.1:8080/ticker',
  method: 'GET',
  dialect: 'sse',
  provider: 'custom',
  guessed: true,
});

const { firstToken: _1, firstAnswer: _2, lastToken: _3, ...halfway } = probeRequest().record.marks;
const broken = probeReport(
  [
    {
      ...probeRequest({
        marks: halfway,
        status: 401,
        outcome: {
          kind: 'http_error',
          message: 'HTTP 401: no such key',
          body: '{"error":\n"no such \u001b[31mkey"}',
          hint: 'check the key, and that the provider is the right one',
        },
        ...{ gaps: [], contentEvents: 0, events: 0, coalesced: 0 },
      }),
      arrivals: [],
      streaming: undefined!,
      lint: [],
    },
  ],
  { guessed: true },
);

describe('the drawing', () => {
  test.each<[string, ProbeReport, Partial<ProbeViewOptions>]>([
    ['probe-60', full, { width: 60 }],
    ['probe-80', full, { width: 80 }],
    ['probe-120', full, { width: 120 }],
    ['probe-ascii-80', full, { width: 80, ascii: true }],
    ['probe-ticker-80', ticker, { width: 80 }],
    ['probe-broken-80', broken, { width: 80 }],
  ])('is as it was: %s', async (name, report, options) => {
    await expect(view(report, options)).toMatchFileSnapshot(`../fixtures/${name}.txt`);
  });

  test.each([50, 60, 80, 100, 120, 200])('keeps within %i columns', (width) => {
    for (const report of [full, ticker, broken]) {
      for (const line of view(report, { width }).split('\n'))
        expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  test('has no escape code without colour, and the same text with it', () => {
    const colored = view(full, { color: 2 });
    expect(view(full)).not.toContain('\u001b');
    expect(colored).toContain('\u001b[');
    expect(colored.replaceAll(/\u001b\[[\d;]*m/g, '').replaceAll(/ +\n/g, '\n')).toBe(view(full));
  });

  test('has characters of ASCII alone where the terminal is dumb', () => {
    for (const report of [full, ticker, broken]) {
      expect(view(report, { ascii: true })).toMatch(/^[\x20-\x7e\n]*$/);
    }
  });

  test('does not pass on what a service sent to control the terminal', () => {
    expect(view(broken)).not.toContain('\u001b');
  });
});

describe('what it says', () => {
  test('a stream that was ended by us is no failure, and has no total', () => {
    const text = view(ticker);
    expect(text).toContain('stopped after 1.0 s');
    expect(text).not.toMatch(/failed|total/);
    expect(text).toMatch(/^stopped /m);
    expect(text).toContain('first content');
    expect(text).not.toContain('token');
  });

  test('nothing within the time is one', () => {
    const { scheduled, started, end } = probeRequest().record.marks;
    const nothing = probeRequest({
      marks: { scheduled, started, end: end! },
      bytes: 0,
      outcome: { kind: 'cancelled' },
      ...{ status: undefined!, headers: undefined! },
    });
    const report = probeReport([{ ...nothing, arrivals: [], stopped: { by: 'time', afterMs: 1000 } }]);
    expect(view(report)).toContain('nothing received within 1.0 s');
    expect(view(report)).toMatch(/^connecting .*✘ failed$/m);
    expect(view(report)).not.toContain('├');
  });

  test('the outcome of a failure, its body, its hint, and that the dialect was a guess', () => {
    const text = view(broken);
    expect(text).toMatch(/^✘ HTTP 401: no such key\n {2}\| \{"error": "no such .*\n→ check the key/m);
    // A key that is not accepted says nothing against the dialect.
    expect(text).not.toContain('was derived from the URL');
    const page = { kind: 'not_a_stream', message: 'the answer is an HTML page' } as const;
    const strange = probeReport([probeRequest({ outcome: page })], { guessed: true });
    expect(view(strange)).toContain('→ the dialect "openai-chat" was derived from the URL');
  });

  test('the verdict and the number of remarks at once, and a reason that remarks share once', () => {
    const common = { why: 'readers stumble', remedy: 'write it otherwise', code: 'data-format' } as const;
    const lint = [
      { ...common, severity: 'warning', what: 'lines end with CRLF' },
      { ...common, severity: 'warning', what: '3 events without data' },
      { ...common, severity: 'info', what: 'no cache-control', why: 'a cache' },
    ] as const;
    const text = view(probeReport([{ ...probeRequest(), lint }]));
    expect(text).toMatch(/^✔ ok · streaming · 2 warnings$/m);
    expect(text.match(/readers stumble/g)).toHaveLength(1);
  });

  test('the proxy, and what an HTTP/2 connection takes', () => {
    const request = probeRequest({
      connection: {
        ...{ reused: false, protocol: 'h2', proxy: 'proxy:3128', remote: '10.0.0.1:3128' },
        ...{ streams: 1, streamLimit: 100 },
      },
    });
    expect(view(probeReport([request]), { width: 120 })).toContain(
      'HTTP/2 200 · through proxy proxy:3128 (10.0.0.1:3128) · new connection · up to 100 streams',
    );
  });

  test('no rate of what came all at once', () => {
    const streaming = { verdict: 'buffered', evidence: 'all at once', figures: null } as const;
    expect(view(full)).toContain('tokens/s');
    expect(view(probeReport([{ ...probeRequest(), streaming }]))).not.toContain('tokens/s');
  });

  test('how soon the whole answer is without streaming', () => {
    const whole = (end: number, outcome: Outcome = { kind: 'ok' }) => {
      const { scheduled, started, sent } = probeRequest().record.marks;
      const marks = { scheduled, started, sent: sent!, headers: end, firstByte: end, end };
      return probeRequest({ mode: 'non-streaming', marks, outcome });
    };
    const beside = (...requests: ReturnType<typeof whole>[]) =>
      view({ ...probeReport([probeRequest()]), whole: wholeAnswers(requests) });
    expect(beside(whole(1008.2), whole(1948.2), whole(3000))).toContain(
      'without streaming: whole answer after 1881 ms (p50 of 3)\nstream: first content 6.0x faster than the whole answer',
    );
    expect(beside(whole(380))).toContain('stream: first content no faster than the whole answer');
    expect(beside(whole(90, { kind: 'http_error', message: 'HTTP 400' }))).toContain(
      'without streaming: http_error: HTTP 400',
    );
  });

  test('that later requests failed', () => {
    const lost = { ...warmRequest(), ...probeRequest({ outcome: { kind: 'truncated', message: 'cut' } }) };
    lost.record = { ...warmRequest().record, outcome: { kind: 'truncated', message: 'cut' } };
    const report = probeReport([probeRequest(), lost, warmRequest()]);
    expect(view(report)).toContain('1 request of 3 failed (number 2): truncated: cut');
    expect(report.warm.n).toBe(1);
  });

  test('a whole answer has no marks of tokens', () => {
    const whole = probeReport([{ ...probeRequest({ mode: 'non-streaming' }), arrivals: [] }], {
      mode: 'non-streaming',
    });
    expect(view(whole)).not.toMatch(/first token|first event|last token|arrivals/);
    expect(view(whole)).toMatch(/^first byte /m);
  });
});

test('the document is versioned, and lists of numbers stay on one line', () => {
  const text = probeJson(full);
  expect(JSON.parse(text)).toEqual(full);
  expect(text).toContain('"schema": "streambench/probe@1"');
  expect(text).toContain('[381,1]');
});
