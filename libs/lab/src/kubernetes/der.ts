/** The few shapes of DER (X.690) that a certificate is made of. */

const length = (size: number): Buffer => {
  if (size < 0x80) return Buffer.from([size]);
  const bytes: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
};

const element = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
};

const base128 = (value: number): number[] => {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift((rest % 128) | 0x80);
  }
  return bytes;
};

export const sequence = (...parts: Buffer[]): Buffer => element(0x30, ...parts);
export const set = (...parts: Buffer[]): Buffer => element(0x31, ...parts);
export const octets = (body: Buffer): Buffer => element(0x04, body);
export const bits = (body: Buffer, unused = 0): Buffer =>
  element(0x03, Buffer.from([unused]), body);
export const text = (value: string): Buffer => element(0x0c, Buffer.from(value, 'utf8'));
export const yes = (): Buffer => element(0x01, Buffer.from([0xff]));
export const context = (number: number, ...parts: Buffer[]): Buffer =>
  element(0xa0 | number, ...parts);
export const contextBytes = (number: number, body: Buffer): Buffer => element(0x80 | number, body);

/** A non-negative integer from its big-endian bytes: a leading zero keeps the sign bit clear. */
export const integer = (bytes: Buffer): Buffer =>
  element(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);

export const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
};

/** GeneralizedTime, whole seconds, UTC. */
export const time = (at: Date): Buffer =>
  element(0x18, Buffer.from(`${at.toISOString().replaceAll(/\D/g, '').slice(0, 14)}Z`, 'ascii'));
