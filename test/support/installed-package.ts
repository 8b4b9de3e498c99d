import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './program.ts';

/** A project that has the packed package installed, beside the packages of this repository. */
export interface Project {
  path: string;
  /** Writes a file of the project. */
  write(file: string, text: string): void;
  /** Runs a program of node_modules/.bin or Node itself, and returns its output. Throws with it when it fails. */
  run(command: 'tsc' | 'node' | 'vitest', ...args: readonly string[]): string;
  dispose(): void;
}

/** Packs what would be published from the present build, and installs it into a new folder. */
export function installedPackage(): Project {
  const path = mkdtempSync(join(tmpdir(), 'streambench-package-'));
  const modules = join(path, 'node_modules');
  mkdirSync(join(modules, 'streambench'), { recursive: true });
  // Without scripts: a build would replace the files that other tests are running.
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', path], {
      cwd: ROOT,
      encoding: 'utf8',
    }),
  ) as [{ filename: string }];
  execFileSync('tar', ['xzf', filename, '--strip-components=1', '-C', 'node_modules/streambench'], {
    cwd: path,
  });
  const installed = join(ROOT, 'node_modules');
  for (const name of readdirSync(installed)) {
    if (name !== 'streambench') symlinkSync(join(installed, name), join(modules, name));
  }
  writeFileSync(join(path, 'package.json'), '{ "private": true, "type": "module" }\n');
  return {
    path,
    write(file, text) {
      mkdirSync(join(path, file, '..'), { recursive: true });
      writeFileSync(join(path, file), text);
    },
    run(command, ...args) {
      const program = command === 'node' ? process.execPath : join(modules, '.bin', command);
      try {
        return execFileSync(program, args, {
          cwd: path,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        });
      } catch (error) {
        const { stdout, stderr, message } = error as Error & { stdout: string; stderr: string };
        throw new Error(`${message}\n${stdout}\n${stderr}`);
      }
    },
    dispose: () => rmSync(path, { recursive: true, force: true }),
  };
}
