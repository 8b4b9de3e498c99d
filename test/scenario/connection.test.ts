import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { connectionOverrides } from '../../src/cli/scenario-flags.ts';
import type { ConnectOptions } from '../../src/model/plan.ts';
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
  const loaded = parseScenario(scenario(fields, rest), join(folder, 's.yaml'), { env });
  return planScenario(loaded).targets[0]!.connect;
}

function refusal(fields: string, env: Record<string, string> = {}): string {
  return userError(() => connectOf(fields, '', env)).message.replaceAll(folder, 'DIR');
}

describe('how connections are made', () => {
  it('is not spoken of where all is at its default', () => {
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

  it('has no warm-up where it would open the connections that are to be cold', () => {
    const warmups = (connection: string) =>
      planScenario(load(scenario('', `connection: ${connection}\nload: { warmup: 3 }`))).blocks.map(
        ({ warmup }) => warmup,
      );
    expect(warmups('cold')).toEqual([0, 0, 0, 0, 0]);
    expect(warmups('per-request')).toEqual([3, 0, 0, 0, 0]);
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
    [', streamsPerSession: 4', 'only HTTP/2 has several requests on one connection | add http: 2'],
    [', unix: /s, proxy: env', 'a unix socket is on this machine: there is no proxy on the way'],
  ])('%s', (fields, message) => {
    expect(problems(scenario(fields)).join('\n')).toContain(message);
  });

  it('is told when the address in the url is of the other family', () => {
    const text = scenario(', ip: 6').replace('http://h/', 'http://127.0.0.1/');
    expect(problems(text)).toEqual([expect.stringContaining('the url has an IPv4 address')]);
  });

  it('is told for a connection that is none of the three', () => {
    expect(problems(scenario('', 'connection: hot'))).toEqual([
      expect.stringContaining('connection: expected one of warm, cold, per-request, got "hot"'),
    ]);
  });

  it('is told for a file of authorities, at its place', () => {
    writeFileSync(join(folder, 'key.pem'), SERVER_TLS.key);
    writeFileSync(join(folder, 'text.pem'), 'hello');
    writeFileSync(join(folder, 'cut.pem'), `${CA}${CA.slice(0, 300)}\n-----END CERTIFICATE-----\n`);
    expect(refusal(', ca: missing.pem')).toContain('DIR/s.yaml:4:');
    expect(refusal(', ca: missing.pem')).toContain('there is no file DIR/missing.pem');
    expect(refusal(', ca: key.pem')).toMatch(/holds no certificate, but a private key\n.*BEGIN CERTIFICATE/);
    expect(refusal(', ca: text.pem')).toContain('DIR/text.pem holds no certificate\n');
    expect(refusal(', ca: cut.pem')).toContain('certificate 2 in DIR/cut.pem cannot be read');
  });

  it("is told for a proxy's password that is written out, without showing it", () => {
    const message = refusal(', proxy: "http://me:hidden-1@p:1"');
    expect(message).toMatch(/the proxy's password is written out\n.*env:MY_PROXY/);
    expect(message).not.toContain('hidden-1');
    expect(connectOf(', proxy: "http://me:${env:PW}@p:1"', '', { PW: 'hidden-1' })?.proxy).toContain(
      'hidden-1',
    );
  });
});

describe('the flags', () => {
  it('change every target, with paths that begin where the user is', () => {
    const overrides = connectionOverrides({
      connection: 'cold',
      http: 2,
      streamsPerSession: 5,
      ca: 'x/ca.pem',
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
          ca: join(process.cwd(), 'x/ca.pem'),
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
    const overrides = connectionOverrides({ http: Number('x'), ip: 5 });
    const error = userError(() => parseScenario(scenario(''), 's.yaml', { env: {}, overrides }));
    expect(error.problems.map(({ place }) => place?.file)).toEqual(['--http', '--ip']);
  });
});
