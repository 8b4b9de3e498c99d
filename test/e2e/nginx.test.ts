import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { createSimulator, type Simulator } from '../../src/simulator/index.ts';
import { scratch, streambench } from '../support/program.ts';

const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find((path) => existsSync(path));
if (NGINX === undefined) console.warn('nginx is not installed: the tests behind a real proxy are skipped');

const LOCATIONS = {
  plain: 'proxy_http_version 1.1; proxy_buffering off;',
  // As nginx is without further settings, HTTP/1.0 upstream included: a chunked HTTP/1.1 body it passes on as it comes.
  // The simulator sends x-accel-buffering: no, which nginx heeds; most services send nothing of the kind.
  buffered:
    'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering; proxy_buffer_size 64k; proxy_buffers 8 64k;',
  gzip: 'proxy_http_version 1.1; proxy_buffering on; proxy_ignore_headers X-Accel-Buffering; gzip on; gzip_types *; gzip_min_length 1;',
};

describe.skipIf(NGINX === undefined)('behind nginx', () => {
  const folder = scratch();
  let simulator: Simulator;
  let nginx: ChildProcess;
  let url = '';

  beforeAll(async () => {
    const steady = (mean: number, sd: number) => ({ shape: 'lognormal', mean, sd }) as const;
    simulator = createSimulator({
      profiles: { m: { ttft: steady(200, 20), gap: steady(10, 4), tokens: steady(120, 0), chunkTokens: 1 } },
    });
    const upstream = await simulator.listen();
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(folder.path, name));
    const locations = Object.entries(LOCATIONS).map(
      ([name, settings]) => `location /${name}/ { proxy_pass ${upstream.url}/; ${settings} }`,
    );
    writeFileSync(
      join(folder.path, 'nginx.conf'),
      `daemon off; pid ${folder.path}/nginx.pid; error_log stderr warn; events {}
http {
  access_log off; client_body_temp_path ${folder.path}/body; proxy_temp_path ${folder.path}/proxy;
  fastcgi_temp_path ${folder.path}/fastcgi; uwsgi_temp_path ${folder.path}/uwsgi; scgi_temp_path ${folder.path}/scgi;
  server { listen 127.0.0.1:${port}; ${locations.join('\n')} }
}`,
    );
    execFileSync(NGINX!, [
      '-t',
      '-q',
      '-e',
      'stderr',
      '-p',
      folder.path,
      '-c',
      join(folder.path, 'nginx.conf'),
    ]);
    nginx = spawn(NGINX!, ['-e', 'stderr', '-p', folder.path, '-c', join(folder.path, 'nginx.conf')], {
      stdio: 'ignore',
    });
    await vi.waitFor(async () => expect((await fetch(`${url}/plain/health`)).status).toBe(200), 5_000);
  });

  afterAll(async () => {
    nginx?.kill();
    await simulator?.close();
    folder.dispose();
  });

  async function cellBehind(name: keyof typeof LOCATIONS) {
    const { stdout, stderr } = await streambench([
      ...[
        'run',
        '--target',
        `${url}/${name}/v1`,
        '--provider',
        'openai',
        '--model',
        'm',
        '-n',
        '6',
        '-c',
        '2',
        '--rounds',
        '1',
      ],
      ...['-o', join(folder.path, 'results'), '--json', '-H', 'accept-encoding: gzip'],
    ]);
    const [cell] = (JSON.parse(stdout || `{"cells":[]}`) as Report).cells;
    expect(cell, stderr).toBeDefined();
    return cell!;
  }

  test('a stream that passes through is a stream', async () => {
    const cell = await cellBehind('plain');
    expect(cell.streaming!.verdict, cell.streaming!.evidence).toBe('streaming');
    expect(cell.streaming).not.toHaveProperty('causes');
    expect(cell.outcomes).toEqual({ ok: 6 });
  });

  test('a buffering proxy is found out', async () => {
    const cell = await cellBehind('buffered');
    expect(cell.outcomes).toEqual({ ok: 6 });
    expect(cell.streaming!.verdict, cell.streaming!.evidence).toBe('buffered');
    expect(cell.metrics.ttft!.p50).toBeGreaterThan(600);
    expect(cell.streaming!.causes![0]!.what).toMatch(/^nginx in the path \(nginx/);
    expect(cell.streaming!.arrivals!.counts.at(-1)).toBeGreaterThan(100);
  });

  test('a compressor that holds the answer back is decoded, found out and named', async () => {
    const cell = await cellBehind('gzip');
    expect(cell.outcomes).toEqual({ ok: 6 });
    expect(cell.streaming!.verdict, cell.streaming!.evidence).toBe('buffered');
    const [compressor, proxy] = cell.streaming!.causes!;
    expect(compressor).toMatchObject({
      what: 'content-encoding: gzip',
      remedy: expect.stringContaining('gzip_types'),
    });
    expect(proxy!.remedy).toContain('proxy_buffering off');
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
