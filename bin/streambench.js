#!/usr/bin/env node
import module from 'node:module';
import { loadFailure } from '../dist/cli/failures.js';

// Keeps the compiled modules for the next start (Node.js 22 and newer).
module.enableCompileCache?.();

try {
  const { main } = await import('../dist/cli/main.js');
  await main(process.argv);
} catch (error) {
  const reason = loadFailure(error);
  if (reason === undefined) throw error;
  process.stderr.write(`error: ${reason}\n`);
  process.exit(2);
}
