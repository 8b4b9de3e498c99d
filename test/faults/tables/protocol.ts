import { SETTINGS } from '../../support/http2-frames.ts';
import { close, type Fault, type FaultGroup, fails, type Step } from '../fault.ts';

const NOT_HTTP = 'the server does not speak HTTP/1.1 there';

/** The server speaks first, or answers the connection in another protocol. */
const other = (name: string, server: string, ...onConnect: readonly Step[]): Fault => ({
  ...{ name, server, onConnect },
  expect: fails('network', 'Expected HTTP/', NOT_HTTP),
});

/** Ports where something other than HTTP/1.1 listens. */
export const PROTOCOL: FaultGroup = {
  title: 'Other protocols',
  faults: [
    other('SSH', 'sends the banner of SSH', 'SSH-2.0-OpenSSH_9.6\r\n'),
    other('SMTP', 'sends the greeting of SMTP', '220 mail.test ESMTP\r\n'),
    other('MySQL', 'sends the greeting of MySQL', Buffer.from('4a0000000a382e302e333600', 'hex')),
    other('Redis', 'answers as Redis does', "-ERR unknown command 'POST'\r\n", close),
    other('FTP', 'sends the greeting of FTP', '220 (vsFTPd 3.0.5)\r\n'),
    other(
      'PostgreSQL',
      'answers as PostgreSQL does',
      Buffer.from('4e', 'hex'),
      Buffer.from('450000001a', 'hex'),
      close,
    ),
    other('HTTP/2 on the port', 'sends the settings of HTTP/2', SETTINGS),
    other('TLS on the port', 'answers with a TLS alert', Buffer.from('15030100020246', 'hex'), close),
    {
      // undici reads RTSP's status line as that of HTTP.
      ...{ name: 'RTSP', server: 'answers RTSP/1.0 200 OK with no body' },
      onConnect: ['RTSP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n'],
      expect: fails('empty', 'the body is empty'),
    },
    other('ICY', 'answers ICY 200 OK, as old radio servers do', 'ICY 200 OK\r\n\r\n'),
    other('a request', 'sends an HTTP request', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'),
    other('a WebSocket frame', 'sends a WebSocket text frame', Buffer.from('810548656c6c6f', 'hex')),
  ],
};
