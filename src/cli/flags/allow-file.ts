import type { Command } from 'commander';
import { collect } from './values.ts';

/** The option that lets a scenario read more than its own folder, as commander delivers it. */
export interface AllowFileFlags {
  allowFile: string[];
}

/** Adds the option that lets a scenario read more than its own folder. */
export function addAllowFileOption(command: Command): void {
  command.option(
    '--allow-file <path>',
    "a file or folder outside of the scenario's own that it may read; may be repeated",
    collect,
    [],
  );
}
