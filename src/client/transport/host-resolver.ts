import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { PinnedName } from '../../model/plan.ts';

/** How to look up a host. */
export interface NameLookup {
  /** Default: the system's lookup. */
  lookup?: LookupFunction;
  /** True if a DNS query may be made, which takes time. */
  queriesDns: boolean;
}

/** Resolves the host names of one client. */
export class HostResolver {
  private readonly once: boolean;
  private readonly pinned: readonly PinnedName[];
  private readonly known = new Map<string, LookupAddress[]>();
  private readonly pending = new Map<string, Promise<LookupAddress[]>>();

  constructor(options: { dns?: 'each' | 'once'; resolve?: readonly PinnedName[] }) {
    this.once = options.dns === 'once';
    this.pinned = options.resolve ?? [];
  }

  /** How to look up the host for the next connection to `host:port`. */
  for(host: string, port: number): NameLookup {
    const pin = this.pinned.find((name) => name.port === port && sameHost(name.host, host));
    if (pin !== undefined) {
      return { queriesDns: false, lookup: fixedLookup(host, pin.addresses.map(toAddress)) };
    }
    if (isIP(host) !== 0) return { queriesDns: false };
    if (!this.once) return { queriesDns: true };
    const known = this.known.get(host);
    if (known !== undefined) return { queriesDns: false, lookup: fixedLookup(host, known) };
    return {
      queriesDns: true,
      lookup: (_host, options, callback) => {
        this.resolve(host).then(
          (addresses) => fixedLookup(host, addresses)(host, options, callback),
          (error) => callback(error, '', 0),
        );
      },
    };
  }

  /** One query for all concurrent lookups. After a failure the next lookup queries again. */
  private resolve(host: string): Promise<LookupAddress[]> {
    const pending = this.pending.get(host) ?? resolveAll(host);
    this.pending.set(host, pending);
    pending.then(
      (addresses) => this.known.set(host, addresses),
      () => this.pending.delete(host),
    );
    return pending;
  }
}

function resolveAll(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });
}

function fixedLookup(host: string, addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { family, all }, callback) => {
    const wanted = family === 4 || family === 'IPv4' ? 4 : family === 6 || family === 'IPv6' ? 6 : 0;
    const fitting = addresses.filter((address) => wanted === 0 || address.family === wanted);
    const [first] = fitting;
    // Never synchronously: the caller is still setting up its socket.
    process.nextTick(() => {
      if (first === undefined) callback(noAddress(host, wanted), '', 0);
      else if (all) callback(null, fitting);
      else callback(null, first.address, first.family);
    });
  };
}

function toAddress(address: string): LookupAddress {
  return { address, family: isIP(address) };
}

function noAddress(host: string, family: number): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} has no IPv${family} address`), { code: 'ENOTFOUND' });
}

function sameHost(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
