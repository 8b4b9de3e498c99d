/**
 * Fields of an imported record whose values the origin tool did not record. Such a field holds a value that keeps the record
 * valid, and no metric reads it.
 */
export type Unobserved =
  /** When the request was due. */
  | 'scheduled'
  /** When the request was sent, relative to the others: every mark counts from the start of its own request. */
  | 'started'
  /** The last content: the mark holds the end of the response. */
  | 'lastToken'
  /** The end of the response: the mark holds the last content, where the tool's end-to-end time ends. */
  | 'end'
  /** Whether the provider's usage or a tokenizer counted the output tokens. */
  | 'tokenSource'
  | 'gaps'
  | 'contentEvents'
  | 'coalesced'
  | 'reads'
  | 'events'
  | 'bytes'
  | 'chars';

/** Where the records of an imported run come from. */
export interface Origin {
  /** The tool that measured, such as `AIPerf`. */
  tool: string;
  /** Its version. Absent: its files do not hold it. */
  version?: string;
  /** The files that were read, as they were named. */
  files: string[];
  /** How the tool defines what was imported, by the name of our metric. */
  definitions: Record<string, string>;
  /** Limits of the data, one sentence each. */
  notes: string[];
}

/** `AIPerf 0.13.0`; without a version `vllm bench serve`. */
export function originInWords({ tool, version }: Pick<Origin, 'tool' | 'version'>): string {
  return version === undefined ? tool : `${tool} ${version}`;
}
