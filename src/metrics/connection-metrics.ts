import type { MetricDefinition } from './definitions.ts';
import { between, connecting } from './formulas.ts';

/** The times of opening a connection, as part of the table in `definitions.ts`. */

const OF_CONNECTION = { stamp: 'connected', ofConnection: true, optional: true } as const;

/** The phases of opening a connection. */
export const CONNECTION_TIMES: readonly MetricDefinition[] = [
  {
    name: 'connect',
    title: 'connect',
    unit: 'ms',
    better: 'lower',
    formula: 'dns + tcp + tls',
    note: 'new connections only',
    ...OF_CONNECTION,
    values: (record) => connecting(record, (m) => between(m.connectStart, m.tls ?? m.tcp)),
  },
  {
    name: 'dns',
    title: 'DNS',
    unit: 'ms',
    better: 'lower',
    formula: 'dns - connectStart',
    note: 'new connections only; none for an IP address',
    ...OF_CONNECTION,
    values: (record) => connecting(record, (m) => between(m.connectStart, m.dns)),
  },
  {
    name: 'tcp',
    title: 'TCP',
    unit: 'ms',
    better: 'lower',
    formula: 'tcp - dns',
    note: 'new connections only; from connectStart if no name was resolved',
    ...OF_CONNECTION,
    values: (record) => connecting(record, (m) => between(m.dns ?? m.connectStart, m.tcp)),
  },
  {
    name: 'tls',
    title: 'TLS',
    unit: 'ms',
    better: 'lower',
    formula: 'tls - tcp',
    note: 'new connections only',
    ...OF_CONNECTION,
    values: (record) => connecting(record, (m) => between(m.tcp, m.tls)),
  },
];
