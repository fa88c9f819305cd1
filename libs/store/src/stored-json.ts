import type { Json, Value } from '@starr/kernel';

export function storedFromParams(params: Readonly<Record<string, Value>>): string {
  return toStored(params);
}

export function paramsFromStored(stored: unknown): Readonly<Record<string, Value>> {
  return revive(stored) as Readonly<Record<string, Value>>;
}

/**
 * Any plain data with dates, int64 and bytes in it as JSON text that jsonb takes, and back, losing nothing: a Date is
 * {"$date"}, an int64 {"$int64"}, bytes {"$bytes"}. Needed so that a sweep can be replayed: same evidence, same answer.
 */
export function toStored(value: unknown): string {
  return JSON.stringify(encode(value));
}

export function fromStored(stored: unknown): unknown {
  return revive(stored);
}

function encode(value: unknown): Json | undefined {
  if (typeof value === 'bigint') return { $int64: value.toString() };
  if (typeof value === 'string') return storableText(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) };
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (isDate(value)) return { $date: value.toISOString() };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map((member) => encode(member) ?? null);
  if (typeof value !== 'object') return undefined;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [storableText(key), encode(member)]),
  );
}

/** Neither text nor jsonb takes NUL or half of a surrogate pair; both may stand in what a patient says. */
export function storableText(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD').toWellFormed();
}

function revive(stored: unknown): unknown {
  if (Array.isArray(stored)) return stored.map(revive);
  if (typeof stored !== 'object' || stored === null) return stored;
  const entries = Object.entries(stored);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined && typeof only[1] === 'string') {
    const special = reviveSpecial(only[0], only[1]);
    if (special !== undefined) return special;
  }
  return Object.fromEntries(entries.map(([key, member]) => [key, revive(member)]));
}

function reviveSpecial(tag: string, text: string): unknown {
  switch (tag) {
    case '$date':
      return new Date(text);
    case '$int64':
      return BigInt(text);
    case '$bytes':
      return new Uint8Array(Buffer.from(text, 'base64'));
    case '$number':
      return Number(text);
    default:
      return undefined;
  }
}

/** Not instanceof: tests run in another realm. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}
