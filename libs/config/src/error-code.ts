/** ENOENT and the like; undefined when it carries none. Not by instanceof, which fails across realms. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error
    ? String(error.code)
    : undefined;
}
