import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { connectionOverrides } from '../../src/cli/flags/connection.ts';
import type { ConnectOptions } from '../../src/model/plan.ts';
import { createRedactor } from '../../src/model/redaction/redactor.ts';
import { parseOverride } from '../../src/scenario/overrides.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { planScenario } from '../../src/scenario/plan.ts';
import { CA, CA_FILE, SERVER_TLS } from '../support/chat-server.ts';
import { load, problems, userError } from './helpers.ts';

const folder = mkdtempSync(join(tmpdir(), 'sb-'));
afterAll(() => rmSync(folder, { recursive: true }));

const scenario = (fields: string, rest = '') =>
  `version: 1\nname: n\ntargets:\n  - { name: t, url: "http://h/v1", dialect: sse${fields} }\nprompts: [{ name: p, text: x }]\n${rest}`;

/** The connect options of the only target, in a file in `folder`. */
function connectOf(fields: string, rest = '', env: Record<string, string> = {}): ConnectOptions | undefined {
  const loaded = parseScenario(scenario(fields, rest), join(folder, 's.yaml'), {
    env,
    allowFiles: [CA_FILE],
  });
  return planScenario(loaded).targets[0]!.connect;
}

function refusal(fields: string, env: Record<string, string> = {}): string {
  return userError(() => connectOf(fields, '', env)).message.replaceAll(folder, 'DIR');
}

describe('how connections are made', () => {
  it('is absent from the plan if everything is at its default', () => {
    expect(connectOf('')).toBeUndefined();
    expect(connectOf(', ip: auto, insecure: false', 'connection: warm')).toBeUndefined();
  });

  it('reaches the plan with every field', () => {
    expect(
      connectOf(
        ', http: 2, streamsPerSession: 7, insecure: true, proxy: "http://p:1", ip: 6, dns: once, ' +
          `ca: "${CA_FILE}", resolve: ["h:80:127.0.0.1,[::1]", "[::1]:443:10.0.0.1"]`,
        'connection: per-request',
      ),
    ).toEqual({
      connection: 'per-request',
      http: 2,
      streamsPerSession: 7,
      insecure: true,
      proxy: 'http://p:1',
      ip: 6,
      dns: 'once',
      ca: CA,
      resolve: [
        { host: 'h', port: 80, addresses: ['127.0.0.1', '::1'] },
        { host: '::1', port: 443, addresses: ['10.0.0.1'] },
      ],
    });
  });

  it('has files relative to the scenario', () => {
    writeFileSync(join(folder, 'mine.pem'), CA);
    expect(connectOf(', ca: mine.pem, unix: s.sock')).toEqual({ ca: CA, unix: join(folder, 's.sock') });
  });

  it('takes its values from the environment too', () => {
    expect(connectOf(', proxy: "${env:P}"', '', { P: 'http://me:pw-123@p:1' })).toEqual({
      proxy: 'http://me:pw-123@p:1',
    });
  });

  it('does not change the warm-up: its connections are closed before the window', () => {
    const warmups = (connection: string) =>
      planScenario(load(scenario('', `connection: ${connection}\nload: { warmup: 3 }`))).blocks.map(
        ({ warmup }) => warmup,
      );
    for (const use of ['warm', 'cold', 'per-request']) expect(warmups(use)).toEqual([3, 0, 0, 0, 0]);
  });
});

describe('what is wrong with it', () => {
  it.each([
    [', http: 3', 'targets[0].http: expected 1 or 2, got 3'],
    [', ip: 5', 'targets[0].ip: expected 4, 6 or auto, got 5'],
    [', proxy: "socks5://p"', 'targets[0].proxy: expected env, or the URL of an HTTP proxy'],
    [', resolve: ["h:1"]', 'targets[0].resolve[0]: expected host:port:address'],
    [', resolve: ["h:1:nowhere"]', 'got "h:1:nowhere"'],
    [', dns: twice', 'targets[0].dns: expected one of each, once, got "twice"'],
    [', streamsPerSession: 4', 'only HTTP/2 has several requests per connection | add http: 2'],
    [', unix: /s, proxy: env', 'a Unix socket is on this machine and cannot be reached through a proxy'],
  ])('%s', (fields, message) => {
    expect(problems(scenario(fields)).join('\n')).toContain(message);
  });

  it('is reported if the url has an address of the other family', () => {
    const text = scenario(', ip: 6').replace('http://h/', 'http://127.0.0.1/');
    expect(problems(text)).toEqual([expect.stringContaining('the url has an IPv4 address')]);
  });

  it('is reported for an unknown connection mode', () => {
    expect(problems(scenario('', 'connection: hot'))).toEqual([
      expect.stringContaining('connection: expected one of warm, cold, per-request, got "hot"'),
    ]);
  });

  it('is reported for a certificate file, at its place', () => {
    writeFileSync(join(folder, 'key.pem'), SERVER_TLS.key);
    writeFileSync(join(folder, 'text.pem'), 'hello');
    writeFileSync(join(folder, 'cut.pem'), `${CA}${CA.slice(0, 300)}\n-----END CERTIFICATE-----\n`);
    expect(refusal(', ca: missing.pem')).toContain('DIR/s.yaml:4:');
    expect(refusal(', ca: missing.pem')).toContain('file not found: DIR/missing.pem');
    expect(refusal(', ca: key.pem')).toMatch(
      /contains no certificate, but a private key\n.*BEGIN CERTIFICATE/,
    );
    expect(refusal(', ca: text.pem')).toContain(': text.pem contains no certificate\n');
    expect(refusal(', ca: cut.pem')).toContain('certificate 2 in cut.pem cannot be read');
  });
});

describe("a proxy's credentials", () => {
  const read = (proxy: string, env: Record<string, string> = {}) =>
    parseScenario(scenario(`, proxy: "${proxy}"`), 's.yaml', { env });
  const shownOf = (proxy: string, env: Record<string, string> = {}) =>
    (read(proxy, env).document as { targets: { proxy: string }[] }).targets[0]!.proxy;

  it.each([
    ['http://me:hidden-1@p:1', 'http://me:[secret]@p:1'],
    ['http://me:hid%21den-1@p:1/', 'http://me:[secret]@p:1/'],
    ['http://me:100%hidden@p:1', 'http://me:[secret]@p:1'],
    ['http://hidden-token@p:1', 'http://[secret]@p:1'],
    ['http://me@p:hidden-1@p:1', 'http://me@p:[secret]@p:1'],
    ['http://${env:ME}:hidden-1@p:1', 'http://${env:ME}:[secret]@p:1'],
    ['http://me:${env:PW}@p:1', 'http://me:${env:PW}@p:1'],
    ['http://p:1', 'http://p:1'],
  ])('%s is kept as %s', (written, kept) => {
    expect(shownOf(written, { ME: 'someone', PW: 'hidden-1' })).toBe(kept);
  });

  it('are used, and redacted in quoted texts', () => {
    const loaded = read('http://me:hid%21den-1@p:1');
    expect(planScenario(loaded).targets[0]!.connect?.proxy).toBe('http://me:hid%21den-1@p:1');
    const header = `Basic ${Buffer.from('me:hid!den-1').toString('base64')}`;
    const redactor = createRedactor(loaded.secrets);
    expect(redactor.text(`${header} hid!den-1 hid%21den-1`)).toBe('Basic [secret] [secret] [secret]');
  });

  it('do not change the scenario hash', () => {
    expect(read('http://me:hidden-1@p:1').hash).toBe(read('http://me:hidden-2@p:1').hash);
    expect(read('http://me:hidden-1@p:1').hash).not.toBe(read('http://me:hidden-1@q:1').hash);
  });

  it('are not shown when the address is wrong', () => {
    const messages = problems(scenario(', proxy: "socks5://me:hidden-1@p:1"'));
    expect(messages.join('\n')).toContain('got "socks5://me:[secret]@p:1"');
    const from = parseOverride('targets.0.proxy=socks5://me:hidden-1@p:1').from;
    expect(from).toBe('--set targets.0.proxy');
    expect(parseOverride('targets.+={ name: a, apiKey: hidden-1 }').from).not.toContain('hidden');
  });
});

describe('the flags', () => {
  it('change every target, with paths that begin where the user is', () => {
    const overrides = connectionOverrides({
      connection: 'cold',
      http: '2',
      streamsPerSession: 5,
      ca: relative(process.cwd(), CA_FILE),
      insecure: true,
      proxy: 'env',
      ip: 'auto',
      dns: 'once',
      resolve: ['h:80:127.0.0.1'],
    });
    const { document } = parseScenario(scenario(''), 's.yaml', { env: {}, overrides });
    expect(document).toMatchObject({
      connection: 'cold',
      targets: [
        {
          http: 2,
          streamsPerSession: 5,
          ca: CA_FILE,
          insecure: true,
          proxy: 'env',
          ip: 'auto',
          dns: 'once',
          resolve: ['h:80:127.0.0.1'],
        },
      ],
    });
  });

  it('are the place of what is wrong with them', () => {
    const overrides = connectionOverrides({ http: '3', ip: '5' });
    const error = userError(() => parseScenario(scenario(''), 's.yaml', { env: {}, overrides }));
    expect(error.problems.map(({ place }) => place?.file)).toEqual(['--http', '--ip']);
  });
});
