/** No fault may hold a request longer, in ms. Its own limits are far shorter; a busy machine adds to them. */
export const BOUND_MS = 15_000;

/** What all faults together may leave on the heap, in MB. */
export const HEAP_MB = 64;
