#!/usr/bin/env node
import { loadFailure } from '../dist/cli/failures.js';

try {
  const { main } = await import('../dist/program/main.js');
  await main(process.argv);
} catch (error) {
  const reason = loadFailure(error);
  if (reason === undefined) throw error;
  process.stderr.write(`error: ${reason}\n`);
  process.exit(2);
}
