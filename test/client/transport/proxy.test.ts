import { describe, expect, test } from 'vitest';
import { isExempt, proxyFor } from '../../../src/client/transport/proxy.ts';

const proxyOf = (url: string, env: Record<string, string>) => proxyFor(new URL(url), 'env', env)?.name;

describe('the proxy that the environment names', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['https://api.test', { HTTPS_PROXY: 'http://p:3128' }, 'p:3128'],
    ['https://api.test', { https_proxy: 'http://low:1', HTTPS_PROXY: 'http://up:2' }, 'low:1'],
    ['https://api.test', { HTTP_PROXY: 'http://p:3128' }, undefined],
    ['http://api.test', { HTTP_PROXY: 'http://p:3128', HTTPS_PROXY: 'http://other:1' }, 'p:3128'],
    ['http://api.test', { http_proxy: 'p:3128' }, 'p:3128'],
    ['http://api.test', { HTTP_PROXY: 'https://p' }, 'p:443'],
    ['http://api.test', { HTTP_PROXY: '' }, undefined],
    ['http://api.test', { HTTP_PROXY: 'http://p:1', NO_PROXY: 'api.test' }, undefined],
    ['http://localhost:8000', { HTTP_PROXY: 'http://p:1' }, undefined],
    ['http://127.0.0.1:8000', { HTTP_PROXY: 'http://p:1' }, undefined],
    ['http://[::1]:8000', { HTTP_PROXY: 'http://p:1' }, undefined],
  ])('for %s, %j: %s', (url, env, name) => expect(proxyOf(url, env)).toBe(name));

  test('is used only if enabled', () => {
    expect(proxyFor(new URL('http://api.test'), undefined, { HTTP_PROXY: 'http://p:1' })).toBeUndefined();
    expect(proxyFor(new URL('http://localhost'), 'http://p:1', {})?.name).toBe('p:1');
  });

  test.each(['socks5://me:hidden@p:1080', 'http://:1:2'])('%s is refused without being repeated', (value) => {
    const refused = () => proxyOf('http://api.test', { HTTP_PROXY: value });
    expect(refused).toThrow(/HTTP_PROXY is not the URL of an HTTP proxy.*\n.*SOCKS/);
    expect(refused).not.toThrow(/hidden/);
  });

  test('may contain a user name and a password', () => {
    const proxy = proxyFor(new URL('http://a.test'), 'http://m%40e:p%3Aw@p:1', {})!;
    expect(proxy.authorization).toBe(`Basic ${Buffer.from('m@e:p:w').toString('base64')}`);
    expect(proxy.name).toBe('p:1');
    expect(proxy.secrets).toContain('p:w');
  });
});

describe('NO_PROXY', () => {
  test.each<[string, string, boolean]>([
    ['*', 'http://any.test', true],
    ['api.test', 'http://api.test:81', true],
    ['api.test', 'http://v1.api.test', true],
    ['api.test', 'http://notapi.test', false],
    ['.api.test', 'http://v1.api.test', true],
    ['*.api.test', 'http://v1.api.test', true],
    ['api.test:80', 'http://api.test', true],
    ['api.test:81', 'http://api.test', false],
    ['x, API.TEST', 'http://api.test', true],
    ['x api.test', 'https://api.test', true],
    ['10.0.0.1', 'http://10.0.0.1:8', true],
    ['[fd00::1]:8', 'http://[fd00::1]:8', true],
    ['fd00::1', 'http://[fd00::1]:8', true],
    ['10.0.0.0/8', 'http://10.1.2.3', true],
    ['10.0.0.0/8', 'http://11.1.2.3', false],
    ['10.0.0.0/8', 'http://10.api.test', false],
    ['x, fd00::/8', 'http://[fd12::1]:8', true],
    ['fd00::/8', 'http://10.0.0.1', false],
    ['10.0.0.0/33', 'http://10.0.0.1', false],
    ['10.0.0.0/', 'http://10.0.0.1', false],
    ['api.test/8', 'http://api.test', false],
    ['', 'http://api.test', false],
  ])('%j, %s: %s', (list, url, exempt) => expect(isExempt(new URL(url), list)).toBe(exempt));
});
