import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { createSimulator, type Simulator } from '../../src/simulator/index.ts';
import { scratch, streambench } from '../support/program.ts';

// The proxies of Debian's packages, each in front of a stream of 120 tokens. nginx has a file of its own.

interface Proxy {
  name: string;
  programs: readonly string[];
  /** Writes what it needs and gives its arguments. `plain` passes streams on, `buffered` as far as it can hold them. */
  configure(folder: string, port: number, upstream: string): string[];
  env?: (folder: string) => NodeJS.ProcessEnv;
  /** The verdict behind its location `buffered`, where it has one, and what names the remedy. */
  buffered?: { verdict: RegExp; remedy: RegExp };
}

function written(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const MODULES = '/usr/lib/apache2/modules';

const PROXIES: readonly Proxy[] = [
  {
    name: 'HAProxy',
    programs: ['/usr/sbin/haproxy', '/usr/local/sbin/haproxy'],
    configure: (folder, port, upstream) => [
      '-db',
      '-f',
      written(
        folder,
        'haproxy.cfg',
        `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:${port}
  use_backend delayed if { path_beg /buffered/ }
  default_backend prompt
backend prompt
  option http-no-delay
  http-request replace-path /plain/(.*) /\\1
  server one ${upstream}
backend delayed
  http-request replace-path /buffered/(.*) /\\1
  server one ${upstream}
`,
      ),
    ],
    // Without the option it may wait for the client's acknowledgement before it sends more: it depends on the kernel.
    buffered: { verdict: /^(coarse|streaming)$/, remedy: /option http-no-delay/ },
  },
  {
    name: 'lighttpd',
    programs: ['/usr/sbin/lighttpd', '/usr/local/sbin/lighttpd'],
    configure(folder, port, upstream) {
      const [host, upstreamPort] = upstream.split(':');
      const proxied = (name: string, streams: number) => `$HTTP["url"] =~ "^/${name}/" {
  server.stream-response-body = ${streams}
  proxy.server = ( "" => (( "host" => "${host}", "port" => ${upstreamPort} )) )
  proxy.header = ( "map-urlpath" => ( "/${name}/" => "/" ), "upgrade" => "disable" )
}`;
      mkdirSync(join(folder, 'uploads'));
      const text = `server.modules = ( "mod_proxy" )
server.document-root = "${folder}"
server.upload-dirs = ( "${folder}/uploads" )
server.bind = "127.0.0.1"
server.port = ${port}
server.stream-request-body = 0
${proxied('plain', 2)}
${proxied('buffered', 0)}
`;
      return ['-D', '-f', written(folder, 'lighttpd.conf', text)];
    },
    buffered: { verdict: /^buffered$/, remedy: /stream-response-body/ },
  },
  {
    name: 'Caddy',
    programs: ['/usr/bin/caddy', '/usr/local/bin/caddy'],
    configure(folder, port, upstream) {
      const text = `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  handle_path /plain/* {
    reverse_proxy ${upstream}
  }
}
`;
      return ['run', '--adapter', 'caddyfile', '--config', written(folder, 'Caddyfile', text)];
    },
    env: (folder) => ({ HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }),
  },
  {
    name: 'Apache',
    programs: ['/usr/sbin/apache2', '/usr/sbin/httpd'],
    configure(folder, port, upstream) {
      const load = ['mpm_event', 'authz_core', 'proxy', 'proxy_http']
        .map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`)
        .join('\n');
      const text = `ServerRoot ${folder}
ServerName localhost
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
Listen 127.0.0.1:${port}
${load}
ProxyPass /plain/ http://${upstream}/ flushpackets=on
`;
      return ['-X', '-d', folder, '-f', written(folder, 'apache.conf', text)];
    },
  },
];

for (const { name, programs } of PROXIES)
  if (!programs.some(existsSync)) console.warn(`${name} is not installed: the tests behind it are skipped`);

let simulator: Simulator;
let upstream = '';

beforeAll(async () => {
  const steady = (mean: number, sd: number) => ({ shape: 'lognormal', mean, sd }) as const;
  simulator = createSimulator({
    profiles: {
      m: {
        ...{ ttft: steady(200, 20), gap: steady(10, 4), tokens: steady(120, 0), chunkTokens: 1 },
        // A proxy written in Go (Caddy) may cut an answer over HTTP/1 that begins before the proxy has seen the end of the
        // request's body (golang/go#40747, caddyserver/caddy#5431). No model answers within a millisecond.
        headersWithFirstToken: true,
      },
    },
  });
  upstream = new URL((await simulator.listen()).url).host;
});
afterAll(() => simulator?.close());

describe.each(PROXIES)('behind $name', ({ programs, configure, env, buffered }) => {
  const program = programs.find(existsSync);
  const folder = scratch();
  let child: ChildProcess | undefined;
  let url = '';
  let said = '';

  beforeAll(async () => {
    if (program === undefined) return;
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    child = spawn(program, configure(folder.path, port, upstream), {
      env: { ...process.env, ...env?.(folder.path) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    await vi.waitFor(async () => expect((await fetch(`${url}/plain/health`)).status, said).toBe(200), {
      timeout: 15_000,
      interval: 200,
    });
  }, 20_000);
  afterAll(() => {
    child?.kill();
    folder.dispose();
  });

  async function streamingBehind(location: string) {
    const { stdout, stderr } = await streambench([
      ...['run', '--target', `${url}/${location}/v1`, '--provider', 'openai', '--model', 'm'],
      ...['-n', '6', '-c', '2', '--rounds', '1', '-o', join(folder.path, 'results'), '--json'],
    ]);
    const [cell] = (JSON.parse(stdout || `{"cells":[]}`) as Report).cells;
    expect(cell?.outcomes, stderr + said).toEqual({ ok: 6 });
    return cell!.streaming!;
  }

  test.skipIf(program === undefined)(
    'a stream that passes through is not accused, and nobody is blamed',
    async () => {
      const { verdict, evidence, causes } = await streamingBehind('plain');
      // Streams alone do not always show it, least of all on a busy machine: see docs/verdict.md.
      expect(['streaming', 'inconclusive'], evidence).toContain(verdict);
      expect(causes).toBeUndefined();
    },
  );

  test.skipIf(program === undefined || buffered === undefined)(
    'what holds the answer back is named',
    async () => {
      const { verdict, evidence, causes } = await streamingBehind('buffered');
      expect(verdict, evidence).toMatch(buffered!.verdict);
      if (verdict !== 'streaming') expect(causes![0]!.remedy).toMatch(buffered!.remedy);
    },
  );
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
