/** Modules of Node.js that the library uses where it has them. */
interface NodeModules {
  'node:crypto': typeof import('node:crypto');
  'node:net': typeof import('node:net');
  'node:zlib': typeof import('node:zlib');
}

/**
 * A module of Node.js; undefined in browsers and workers. Not an import: a bundle for a browser then has none that it cannot
 * resolve.
 */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  // Types say that `process` is always there.
  const { process: current } = globalThis as { process?: typeof process };
  return current?.getBuiltinModule?.(name) as NodeModules[Name] | undefined;
}

/** The environment variables; none in browsers and workers. */
export function environment(): Readonly<Record<string, string | undefined>> {
  const { process: current } = globalThis as { process?: typeof process };
  return current?.env ?? {};
}

/** True on Node.js itself. Bun and Deno have its modules, but their sockets and their undici differ. */
export function hasNodeSockets(): boolean {
  const { process: current } = globalThis as { process?: typeof process };
  return current?.versions?.node !== undefined && !('Bun' in globalThis) && !('Deno' in globalThis);
}
