/** Work on bytes that were stamped when they were read. */
type Job = () => void;

let jobs: Job[] = [];
let scheduled = false;

/**
 * Does `job` after all sockets that are ready now have been read and stamped, in the order of the calls. Decoding a
 * read at once would make the next socket's stamp late by as long as that takes: with hundreds of streams on one
 * loop, the last of a batch would wait for all the others. The wait is at most one turn of the event loop, so what is
 * kept is at most what one turn reads.
 */
export function afterReads(job: Job): void {
  jobs.push(job);
  if (scheduled) return;
  scheduled = true;
  setImmediate(drain);
}

function drain(): void {
  const batch = jobs;
  jobs = [];
  scheduled = false;
  for (const job of batch) job();
}
