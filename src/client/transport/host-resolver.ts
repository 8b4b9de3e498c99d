import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { PinnedName } from '../../model/plan.ts';

/** How a name becomes addresses. */
export interface NameLookup {
  /** Absent where the system's own way is good. */
  lookup?: LookupFunction;
  /** True when someone is asked, so that it takes time. */
  asks: boolean;
}

/** Finds the addresses of the names that one client connects to. */
export class HostResolver {
  private readonly once: boolean;
  private readonly pinned: readonly PinnedName[];
  private readonly known = new Map<string, LookupAddress[]>();
  private readonly asked = new Map<string, Promise<LookupAddress[]>>();

  constructor(options: { dns?: 'each' | 'once'; resolve?: readonly PinnedName[] }) {
    this.once = options.dns === 'once';
    this.pinned = options.resolve ?? [];
  }

  /** How the name is to be looked up for the next connection to `host:port`. */
  for(host: string, port: number): NameLookup {
    const pin = this.pinned.find((name) => name.port === port && sameHost(name.host, host));
    if (pin !== undefined) {
      return { asks: false, lookup: answering(host, pin.addresses.map(toAddress)) };
    }
    if (isIP(host) !== 0) return { asks: false };
    if (!this.once) return { asks: true };
    const known = this.known.get(host);
    if (known !== undefined) return { asks: false, lookup: answering(host, known) };
    return {
      asks: true,
      lookup: (_host, options, callback) => {
        this.ask(host).then(
          (addresses) => answering(host, addresses)(host, options, callback),
          (error) => callback(error, '', 0),
        );
      },
    };
  }

  /** One question for all who ask at the same time. A name that was not found is asked for again. */
  private ask(host: string): Promise<LookupAddress[]> {
    const asked = this.asked.get(host) ?? resolveAll(host);
    this.asked.set(host, asked);
    asked.then(
      (addresses) => this.known.set(host, addresses),
      () => this.asked.delete(host),
    );
    return asked;
  }
}

function resolveAll(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });
}

function answering(host: string, addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { family, all }, callback) => {
    const wanted = family === 4 || family === 'IPv4' ? 4 : family === 6 || family === 'IPv6' ? 6 : 0;
    const fitting = addresses.filter((address) => wanted === 0 || address.family === wanted);
    const [first] = fitting;
    // Never at once: whoever asks is still setting up its socket.
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
