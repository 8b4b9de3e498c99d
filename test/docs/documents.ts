import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/program.ts';

/** A page of the documentation. */
export interface Document {
  /** Path below the repository. */
  path: string;
  text: string;
}

/** A fenced block of code. */
export interface Block {
  path: string;
  /** Line of its first line of code, from 1. */
  line: number;
  /** The words after the fence: the language first. */
  info: string;
  code: string;
}

const FOLDERS = ['.', 'docs', 'examples', 'benchmarks', 'results'];

/** All pages: the README, the other pages at the top, docs/, and the README of each folder with programs. */
export const DOCUMENTS: readonly Document[] = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      return { path, text: readFileSync(join(ROOT, path), 'utf8') };
    }),
);

/** The fenced blocks of a page whose language is one of these. */
export function blocksOf({ path, text }: Document, ...languages: readonly string[]): Block[] {
  return [...text.matchAll(/^```([^\n]+)\n(.*?)^```$/gms)]
    .map(([, info = '', code = ''], index, all) => {
      const before = text.slice(0, all[index]?.index);
      return { path, line: before.split('\n').length + 1, info, code };
    })
    .filter(({ info }) => languages.includes(info.split(' ')[0] ?? ''));
}
