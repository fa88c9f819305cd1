/** Of this library, of AbortSignal.timeout, and of whoever else keeps to the name. */
export function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'name' in error && error.name === 'TimeoutError'
  );
}
