import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** The folder of recorded streams: `STREAMBENCH_CORPUS`, or `shared/corpus` beside the repository. */
export const CORPUS = resolve(
  process.env.STREAMBENCH_CORPUS ?? `${import.meta.dirname}/../../../shared/corpus`,
);

/** Why tests over recorded streams do not run. */
const MISSING = `no recorded streams at ${CORPUS}; set STREAMBENCH_CORPUS to run over them`;

/** True when the recorded streams are there. */
export const HAS_CORPUS = existsSync(`${CORPUS}/INDEX.tsv`);

// A skipped suite says only that it was skipped.
if (!HAS_CORPUS) console.info(MISSING);
