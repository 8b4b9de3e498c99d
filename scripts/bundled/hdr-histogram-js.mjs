// What the program uses of hdr-histogram-js: its entry would also load the reader and the writer of logs, which create number
// formatters.
export {
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
} from '../../node_modules/hdr-histogram-js/dist/encoding.js';
export { build } from '../../node_modules/hdr-histogram-js/dist/HistogramBuilder.js';
