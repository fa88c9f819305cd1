/** The address of a gRPC peer without its port; absent when it is none (a local socket). */
export function peerAddress(peer: string): string | undefined {
  const match = /^\[?([0-9a-f.:]+?)\]?:\d+$/i.exec(peer);
  return match?.[1]?.replace(/^::ffff:(?=\d+\.)/i, '');
}
