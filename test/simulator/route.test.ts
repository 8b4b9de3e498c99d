import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../src/model/request.ts';
import { allDialects, route } from '../../src/simulator/route.ts';
import type { Dialect } from '../../src/wire/dialect.ts';

const dialects = allDialects();
const chat: ChatRequest = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] };

function asked(method: string, target: string, body = '') {
  const [path = '', query = ''] = target.split('?', 2);
  return route({ method, path, query: new URLSearchParams(query), body }, dialects);
}

/** Where a client sends what this dialect asks: plain dialects have no path of their own, but the simulator has. */
function pathOf(dialect: Dialect): { path: string; query: string } {
  const [path = '', query = ''] = dialect.request(chat).path.split('?', 2);
  return { path: path === '' ? `/${dialect.name}` : path, query };
}

describe('route', () => {
  it.each(dialects)('knows a request of $name, whatever stands before its path', (dialect) => {
    const { method, body } = dialect.request(chat);
    const { path, query } = pathOf(dialect);
    for (const prefix of ['', '/v1', '/some/proxy']) {
      const found = asked(method, `${prefix}${path}?${query}`, body);
      if (found.kind !== 'chat') throw new Error(`${dialect.name}: ${JSON.stringify(found)}`);
      expect(found.dialect.framing).toBe(dialect.framing);
      expect(found.request.stream).toBe(true);
      expect(found.request.messages.at(-1)?.content).toBe('hello');
    }
  });

  it.each(dialects)('refuses a body that is none, in the shape of $name', (dialect) => {
    const { path, query } = pathOf(dialect);
    const found = asked('POST', `${path}?${query}`, '{"model":');
    // A plain endpoint takes any body: it is the prompt.
    if (found.kind === 'chat') {
      expect(found.request.messages[0]?.content).toBe('{"model":');
      return;
    }
    expect(found).toMatchObject({ kind: 'refuse', status: 400 });
    if (found.kind === 'refuse') expect(found.body.body).toContain('"');
  });

  it('takes a GET on plain endpoints, with model and prompt in the query', () => {
    const found = asked('GET', '/sse?model=coarse&prompt=hi');
    expect(found).toMatchObject({ kind: 'chat', request: { model: 'coarse', stream: true } });
    expect(found.kind === 'chat' && found.request.messages[0]?.content).toBe('hi');
  });

  it('has its own pages', () => {
    expect(asked('GET', '/health').kind).toBe('health');
    expect(asked('GET', '/__truth').kind).toBe('truth');
    expect(asked('GET', '/v1/models').kind).toBe('models');
  });

  it('names the right method, and reports an unknown path', () => {
    expect(asked('GET', '/v1/chat/completions')).toMatchObject({ status: 405, allow: 'POST' });
    expect(asked('DELETE', '/sse')).toMatchObject({ status: 405 });
    expect(asked('POST', '/health')).toMatchObject({ status: 405, allow: 'GET' });
    expect(asked('POST', '/nowhere', '{}')).toMatchObject({ kind: 'refuse', status: 404 });
  });
});
