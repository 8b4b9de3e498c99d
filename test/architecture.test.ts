import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LAYERS } from './layers.ts';

const SRC = resolve(import.meta.dirname, '../src');

/** The public entry points. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  'index.ts': ['model', 'wire', 'client', 'embed', 'gateway'],
  'bench.ts': ['model', 'scenario', 'metrics', 'report', 'bench'],
};

/** The only files that may import each package. */
const PACKAGE_USERS: Readonly<Record<string, RegExp>> = {
  // The interceptor uses undici's types only.
  undici: /^(client\/|embed\/measured-dispatcher\.ts$)/,
  'eventsource-parser': /^wire\/framing\//,
  'hdr-histogram-js': /^metrics\/histogram\.ts$/,
  commander: /^cli\//,
  ora: /^cli\//,
  chalk: /^(cli|report)\//,
  'cli-table3': /^report\/terminal\//,
  'string-width': /^report\/text-width\.ts$/,
  yaml: /^(scenario\/|bench\/machines\/k8s\.ts$)/,
  jose: /^service\//,
  zod: /^(scenario|service)\//,
  // Bundled by the build: see the file.
  hono: /^service\/packages\.ts$/,
  '@hono/node-server': /^service\/packages\.ts$/,
  pino: /^service\/packages\.ts$/,
  'prom-client': /^service\/prom-client\.ts$/,
  // Optional packages. Only types, apart from what otel-packages.ts loads by name.
  '@opentelemetry/api': /^bench\/telemetry\//,
  '@opentelemetry/sdk-metrics': /^bench\/telemetry\//,
  '@opentelemetry/sdk-trace-base': /^bench\/telemetry\//,
  '@opentelemetry/exporter-metrics-otlp-http': /^bench\/telemetry\//,
  '@opentelemetry/exporter-trace-otlp-http': /^bench\/telemetry\//,
  '@opentelemetry/resources': /^bench\/telemetry\//,
};

const MAX_LINES = 350;

interface Source {
  file: string;
  lines: number;
  text: string;
  imports: { specifier: string; typeOnly: boolean }[];
}

const sources: Source[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => {
    const text = readFileSync(join(SRC, file), 'utf8');
    const statics = text.matchAll(/^(?:import|export)\s(type\s)?[^'";]*?from\s+'([^']+)'/gms);
    const bare = text.matchAll(/(?:^import|\bimport\()\s*'([^']+)'/gm);
    return {
      file,
      text,
      lines: text.split('\n').length - 1,
      imports: [
        ...[...statics].map((match) => ({ specifier: match[2]!, typeOnly: match[1] !== undefined })),
        ...[...bare].map((match) => ({ specifier: match[1]!, typeOnly: false })),
      ],
    };
  });

function layerOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file;
}

/** `hono/cors` is of the package `hono`, `@hono/node-server/x` of `@hono/node-server`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function target(from: string, specifier: string): string {
  return relative(SRC, resolve(SRC, dirname(from), specifier));
}

describe('the source layout', () => {
  test('the scan sees imports', () => {
    expect(sources.length).toBeGreaterThan(40);
    expect(sources.flatMap((source) => source.imports).length).toBeGreaterThan(150);
  });

  test('a layer imports only the layers below it', () => {
    const wrong = sources.flatMap(({ file, imports }) => {
      const layer = layerOf(file);
      const allowed = LAYERS[layer]?.imports ?? ENTRIES[layer];
      if (allowed === undefined) return [`${file}: no such layer`];
      return imports
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => layerOf(target(file, specifier)))
        .filter((other) => other !== layer && !allowed.includes(other))
        .map((other) => `${file} -> ${other}`);
    });
    expect(wrong).toEqual([]);
  });

  test('each package is imported only where it is listed', () => {
    const wrong = sources.flatMap(({ file, imports }) =>
      imports
        .filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
        .filter(({ specifier }) => !PACKAGE_USERS[packageOf(specifier)]?.test(file))
        .map(({ specifier }) => `${file} -> ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  test('there is no import cycle', () => {
    const graph = new Map(
      sources.map(({ file, imports }) => [
        file,
        imports
          .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
          .map(({ specifier }) => target(file, specifier)),
      ]),
    );
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      else if (!done.has(file)) for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test('no file is longer than 350 lines, and none is called utils', () => {
    expect(
      sources.filter(({ lines }) => lines > MAX_LINES).map(({ file, lines }) => `${file}: ${lines}`),
    ).toEqual([]);
    expect(
      sources.filter(({ file }) => /util|helper|misc|common/i.test(file)).map(({ file }) => file),
    ).toEqual([]);
  });

  test('the real clock is read in one place, and only cli/ prints and exits', () => {
    const clock = /\b(performance\.now|Date\.now|process\.hrtime)\b|new Date\(\)/;
    const output = /\bconsole\.|process\.(stdout|stderr|exit)\b/;
    const readsClock = sources
      .filter(({ text }) => clock.test(withoutComments(text)))
      .map(({ file }) => file);
    const prints = sources
      .filter(({ text }) => output.test(withoutComments(text)))
      .map(({ file }) => layerOf(file));
    // The progress display counts the seconds that are left: it measures nothing.
    const exempt = /^cli\//;
    expect(readsClock.filter((file) => !exempt.test(file))).toEqual(['model/clock.ts']);
    expect([...new Set(prints)]).toEqual(['cli']);
  });
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*.*?\*\//gs, '').replaceAll(/^\s*\/\/.*$/gm, '');
}
