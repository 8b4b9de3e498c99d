import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isCurl, readCurl } from '../../../src/scenario/draft/curl.ts';

// A real curl and the log of a server are the witness.
interface Seen {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

let last: Seen | undefined;
let origin = '';
const server = createServer((request: IncomingMessage, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method = '', url = '', headers } = request;
    last = { method, path: url, headers: headers as Seen['headers'], body: Buffer.concat(chunks).toString() };
    response.end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const COMMANDS = [
  "curl URL/plain -H 'X-Team: a'",
  `curl -XPOST 'URL/json' --json '{"a":' --json '1}'`,
  "curl URL/form -d a=1 --data 'b=2&c=3' --data-urlencode 'd=x y&z'",
  "curl -sSLG URL/get -d q=hi --data-urlencode 'p=a b'",
  'curl -u name:secret -A agent -e http://h/page -b "a=1" -b "c=2" URL/auth',
  `curl URL/raw --compressed --data-raw '@notafile' -H 'content-type: text/plain' -H 'accept:'`,
  'curl --request POST --url URL/url --oauth2-bearer token -o /dev/null',
];
const USED = ['content-type', 'authorization', 'cookie', 'referer', 'x-team'];

test.each(COMMANDS)('%s', async (written) => {
  const command = written.replace('URL', origin);
  const code = await new Promise((resolve) =>
    spawn('bash', ['-c', command.replace('curl', 'curl --noproxy "*" -q')], { stdio: 'ignore' }).on(
      'close',
      resolve,
    ),
  );
  expect(code).toBe(0);
  const { method, url, headers, body = '' } = readCurl(command);
  const only = (all: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      // Versions of curl join cookies with and without a space.
      USED.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name].replaceAll('; ', ';')]])),
    );
  const sameSpaces = (text = '') => text.replaceAll('%20', '+');
  expect({
    method,
    path: sameSpaces(url.replace(origin, '')),
    headers: only(headers),
    body: sameSpaces(body),
  }).toEqual({
    method: last?.method,
    path: sameSpaces(last?.path),
    headers: only(last?.headers ?? {}),
    body: sameSpaces(last?.body),
  });
});

test('options of the connection become fields of the target', () => {
  expect(
    readCurl('curl -k4 --http2 -x proxy:8080 --unix-socket /s --resolve a:1:127.0.0.1 h/x'),
  ).toMatchObject({
    url: 'http://h/x',
    connection: {
      insecure: true,
      ip: 4,
      http: 2,
      proxy: 'http://proxy:8080',
      unix: '/s',
      resolve: ['a:1:127.0.0.1'],
    },
  });
});

test.each([
  ['curl http://h -d @body.json', /-d @body.json: files are not read\n.*the text of body.json/],
  ['curl http://h --json @b', /files are not read/],
  ['curl http://h -b cookies.txt', /curl -b: files are not read/],
  ['curl http://h -F a=b', /multipart forms are not supported\n.*--data-raw/],
  ['curl http://h --no-such', /unknown curl option --no-such/],
  ['curl http://h --heeder x', /did you mean "--header"/],
  ['curl http://h -Q', /unknown curl option -Q/],
  ['curl http://h -H', /the value is missing/],
  ['curl -H x:y', /no URL/],
  ['curl http://a http://b', /2 URLs/],
  ['curl -I http://h', /HEAD/],
  ['curl -u $USER:$PASS http://h', /variable/],
])('%s is refused with a remedy', (command, message) => {
  expect(() => readCurl(command)).toThrow(message);
});

test('a prompt before the command is no part of it', () => {
  expect(isCurl('$ curl http://h')).toBe(true);
  expect(isCurl('curly http://h')).toBe(false);
  expect(readCurl('$ curl.exe http://h').url).toBe('http://h');
});
