import { describe, expect, test } from 'vitest';
import { apiDialects, dialectsAccepting } from '../../src/wire/dialects/index.ts';
import { REQUEST_FEATURES } from '../../src/wire/request-parts.ts';
import { WITH } from './field-requests.ts';

describe('a dialect', () => {
  test.each([...apiDialects()].map((dialect) => [dialect.name, dialect] as const))(
    '%s writes what it accepts, and its simulator reads the text',
    (_, dialect) => {
      // Scenarios are refused the others before anything is sent.
      for (const feature of REQUEST_FEATURES.filter((one) => dialect.accepts?.has(one))) {
        const { path, method, body = '' } = dialect.request(WITH[feature]);
        expect(body, feature).toMatch(/QUJDRA==|MARK/);
        const [pathname = '', query] = path.split('?');
        const read = dialect.parseRequest({
          method,
          path: `/x${pathname || '/ag-ui'}`,
          query: new URLSearchParams(query),
          body,
        });
        expect(read?.messages.at(-1)?.content, feature).toBe('look');
      }
    },
  );

  test('is named where a feature is refused', () => {
    expect(dialectsAccepting('audio')).toEqual(['openai-chat', 'gemini', 'gemini-array']);
  });
});
