import { canonicalJson, type Json } from './json.ts';

/** SHA-256 over the canonical text, as `sha256:` + 64 hex digits. What a person approves. */
export async function hashJson(value: Json): Promise<string> {
  const digest = await crypto.subtle.digest(
    'SHA-256',
    new TextEncoder().encode(canonicalJson(value)),
  );
  return `sha256:${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
