/** What is in a run's folder. */

/** One request a line, in the order in which they ended. */
export const RECORDS_FILE = 'records.ndjson';
/** All of a report that the records do not say; written at the start and again at the end. */
export const MANIFEST_FILE = 'manifest.json';
/** The report, as `streambench report RUN -f json` prints it. */
export const REPORT_FILE = 'report.json';

export const RECORD_SCHEMA = 'streambench/record@1';
export const MANIFEST_SCHEMA = 'streambench/manifest@1';
