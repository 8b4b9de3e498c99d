import type { Fault, FaultGroup } from './fault.ts';
import { BODIES } from './tables/bodies.ts';
import { CONNECT } from './tables/connect.ts';
import { CUTS, WHOLE_CUTS } from './tables/cuts.ts';
import { HEAD } from './tables/head.ts';
import { HTTP2 } from './tables/http2.ts';
import { IN_BAND } from './tables/inband.ts';
import { JSON_VALUES } from './tables/json.ts';
import { KEEP_ALIVE } from './tables/keep-alive.ts';
import { PROTOCOL } from './tables/protocol.ts';
import { SIZE } from './tables/size.ts';
import { SSE_FRAMING } from './tables/sse.ts';
import { TIMING } from './tables/timing.ts';

/** Every fault, in the order of docs/faults.md. */
export const GROUPS: readonly FaultGroup[] = [
  ...[CONNECT, PROTOCOL, HEAD, BODIES, CUTS, WHOLE_CUTS, SSE_FRAMING],
  ...[JSON_VALUES, IN_BAND, SIZE, TIMING, KEEP_ALIVE, HTTP2],
];

/** Every fault. */
export const FAULTS: readonly Fault[] = GROUPS.flatMap(({ faults }) => faults);
