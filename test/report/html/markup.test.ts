import { expect, test } from 'vitest';
import { embeddedJson, html } from '../../../src/report/html/markup.ts';

const HOSTILE = [
  '</script><script>alert(1)</script>',
  '<!--<script>',
  ']]>',
  '\u2028\u2029',
  `"'&amp;<img src=x onerror=alert(1)>`,
];

test('a template escapes what is put in, in lists too, and keeps markup', () => {
  const [first = ''] = HOSTILE;
  expect(html`<p title="${'"x"'}">${first}${[html`<b>${1}</b>`, undefined, '&']}</p>`.text).toBe(
    '<p title="&quot;x&quot;">&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;<b>1</b>&amp;</p>',
  );
});

test('embedded JSON parses to the same value, and cannot end its element', () => {
  const { text } = embeddedJson({ [HOSTILE[0] ?? '']: HOSTILE });
  expect(text).not.toMatch(/[<>&\u2028\u2029]/);
  expect(JSON.parse(text)).toEqual({ [HOSTILE[0] ?? '']: HOSTILE });
});
