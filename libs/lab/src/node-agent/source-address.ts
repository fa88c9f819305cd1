/**
 * Preloaded (`node --import`) into the program of a pod: gives outgoing connections the pod's own address,
 * so that the other side sees a pod where it would see 127.0.0.1. Neither pg nor ioredis has an option
 * for it. Listening sockets are the program's own matter: it listens on `STARR_POD_IP`.
 */
import { isIP, Socket, type SocketConnectOpts, type TcpSocketConnectOpts } from 'node:net';

const isLoopback = (host: string | undefined): boolean =>
  host === undefined || host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.'));

const withSource = (options: TcpSocketConnectOpts, address: string): TcpSocketConnectOpts =>
  (options.localAddress ?? '') === '' && isLoopback(options.host) // fetch says null
    ? // an IPv4 source reaches IPv4 alone: "localhost" must not become ::1
      { ...options, localAddress: address, family: 4 }
    : options;

type Connect = (this: Socket, ...args: unknown[]) => Socket;

const isOptions = (value: unknown): value is SocketConnectOpts =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The forms of `connect`: (options, cb), (port, host?, cb), (path, cb), or Node's own [options, cb]. */
const rewritten = (args: readonly unknown[], address: string): unknown[] => {
  const [first, ...rest] = args;
  if (Array.isArray(first)) {
    const inner = first as unknown[];
    // the same array, since Node marks it with a symbol
    if (isOptions(inner[0]) && !('path' in inner[0] && inner[0].path)) {
      inner[0] = withSource(inner[0] as TcpSocketConnectOpts, address);
    }
    return [inner, ...rest];
  }
  if (isOptions(first)) {
    return 'path' in first && first.path
      ? [...args]
      : [withSource(first as TcpSocketConnectOpts, address), ...rest];
  }
  if (typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first))) {
    const host = typeof rest[0] === 'string' ? rest[0] : undefined;
    const options = { port: Number(first), ...(host === undefined ? {} : { host }) };
    return [withSource(options, address), ...rest.filter((one) => typeof one === 'function')];
  }
  return [...args];
};

// Many pods behind one address, as a cluster with source NAT has them, say so by the first.
const podIp = process.env['STARR_SOURCE_IP'] ?? process.env['STARR_POD_IP'];
if (podIp !== undefined && isIP(podIp) === 4) {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called below with its own `this`
  const connect = Socket.prototype.connect as Connect;
  const fromPod: Connect = function (...args) {
    return connect.apply(this, rewritten(args, podIp));
  };
  Socket.prototype.connect = fromPod;
}
