// What the program uses of undici: its entry would load fetch, caches and mocks as well.
export { default as Client } from '../../node_modules/undici/lib/dispatcher/client.js';
