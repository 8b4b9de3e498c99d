import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { VERDICT_MEANING } from '../../src/analysis/streaming/streaming-verdict.ts';
import { createProgram } from '../../src/cli/program.ts';
import { exitCodeOrder, exitCodeRows, THRESHOLD_EXAMPLES } from '../../src/cli/topics.ts';
import type { ProbeReport } from '../../src/report/probe-report.ts';
import { probeView } from '../../src/report/terminal/probe-view.ts';
import { LAYERS } from '../layers.ts';
import { ROOT, streambench } from '../support/program.ts';
import { liveSample } from './live-sample.ts';
import { requestTable } from './request-table.ts';
import { schemaTable } from './schema-table.ts';

// The generated parts of the documentation. Each stands between `<!-- generated: WHAT -->` and `<!-- end -->`.

const PART = /(<!-- generated: (.+?) -->\n)(.*?)(<!-- end -->)/gs;

/** The page with each of its generated parts made again. Throws for a part that cannot be made. */
export async function regenerate(text: string): Promise<string> {
  const parts = await Promise.all([...text.matchAll(PART)].map(([, , what = '']) => generate(what)));
  return text.replaceAll(PART, (_, begin: string, _what, _old, end: string) => {
    return `${begin}${parts.shift()?.trimEnd()}\n${end}`;
  });
}

async function generate(what: string): Promise<string> {
  const [kind = '', ...rest] = what.split(' ');
  const read = (path = '') => readFileSync(join(ROOT, path), 'utf8');
  switch (what) {
    case 'streambench help':
      return helpPages();
    case 'action inputs':
      return actionInputs(read('action.yml'));
    case 'scenario schema':
      return schemaTable(JSON.parse(read('schema/scenario.schema.json')));
    case 'requests':
      return requestTable();
    case 'layers':
      return layerTable();
    case 'exit codes':
      return `${markdownTable(['exit code', 'meaning'], exitCodeRows())}\n\n${exitCodeOrder()}`;
    case 'threshold examples':
      return fence(THRESHOLD_EXAMPLES.join('\n'));
    case 'verdicts':
      return markdownTable(
        ['verdict', 'meaning'],
        Object.entries(VERDICT_MEANING).map(([verdict, { meaning }]) => [`\`${verdict}\``, meaning]),
      );
  }
  switch (kind) {
    case 'streambench':
      return fence(await output(what));
    case 'probe': {
      const report = JSON.parse(read(rest[0])) as ProbeReport;
      return fence(excerpt(probeView(report, { width: 100, color: 0 }), what));
    }
    case 'live':
      return fence(liveSample(rest[0] ?? '', Number(rest[1])));
    case 'types':
      return fence(declarations(read(rest[0]), rest.slice(1)), 'ts');
    default:
      throw new Error(`the documentation names an unknown generated part: ${what}`);
  }
}

async function output(what: string): Promise<string> {
  const [, args = ''] = /^streambench (.+?) \|/.exec(what) ?? [];
  const { code, stdout, stderr } = await streambench(args.split(' '));
  if (code !== 0) throw new Error(`${what}: exit code ${code}\n${stderr}`);
  return excerpt(stdout, what);
}

/**
 * What `... | from "A" to "B"` selects: the lines from the first that begins with A to the one before B; without B, to the
 * next empty line.
 */
function excerpt(text: string, what: string): string {
  const [, from = '', to] = /\| from "(.*?)"(?: to "(.*)")?$/.exec(what) ?? [];
  const lines = text.split('\n');
  const begin = lines.findIndex((line) => line.startsWith(from));
  const end = lines.findIndex(
    (line, index) => index > begin && (to === undefined ? line === '' : line.startsWith(to)),
  );
  if (begin === -1 || end === -1) throw new Error(`${what}: there are no such lines in\n${text}`);
  return lines.slice(begin, end).join('\n');
}

async function helpPages(): Promise<string> {
  const silent = { print: () => {}, warn: () => {} };
  const program = createProgram(
    () => {
      throw new Error('a command was run');
    },
    () => silent,
  );
  const names = program.commands.map((command) => command.name()).filter((name) => name !== 'help');
  const [root, ...pages] = await Promise.all([
    streambench(['--help']),
    ...names.map((name) => streambench([name, '--help'])),
  ]);
  const sections = pages.map((page, index) => `## ${names[index]}\n\n${fence(page.stdout)}`);
  return [fence(root.stdout), ...sections].join('\n\n');
}

function actionInputs(text: string): string {
  const { inputs } = parse(text) as { inputs: Record<string, { description: string; default?: string }> };
  const rows = Object.entries(inputs).map(
    ([name, { description, default: value = '' }]) =>
      `| \`${name}\` | ${value === '' ? '' : `\`${value}\``} | ${description.trim().replaceAll('|', '\\|')} |`,
  );
  return ['| input | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function layerTable(): string {
  const rows = Object.entries(LAYERS).map(([name, { content, imports }]) => {
    const below = Object.keys(LAYERS).indexOf(name);
    const all = imports.length === below && below > 1;
    return `| \`${name}/\` | ${content} | ${all ? 'all of the above' : imports.join(', ') || 'nothing'} |`;
  });
  return ['| folder of `src/` | content | may import |', '| --- | --- | --- |', ...rows].join('\n');
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The exported declarations of these names, with their doc comments. */
function declarations(source: string, names: readonly string[]): string {
  return names
    .map((name) => {
      const found = new RegExp(
        `(?:^/\\*\\*(?:(?!\\*/).)*?\\*/\\n)?^export interface ${name}\\b.*?^}$`,
        'ms',
      ).exec(source)?.[0];
      if (found === undefined) throw new Error(`there is no exported interface ${name}`);
      return found.replaceAll(/^export /gm, '');
    })
    .join('\n\n');
}

function fence(text: string, language = ''): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}
