import type { Command } from 'commander';
import type { Session } from './cli-session.ts';

/** Adds a command, or several, to the program. `open` gives it its session when it runs. */
export type AddCommand = (root: Command, open: () => Session) => void;
