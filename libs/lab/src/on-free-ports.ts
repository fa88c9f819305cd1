const START_ATTEMPTS = 3;
/** As PostgreSQL, PgBouncer, Redis, Jaeger and the parts of Kubernetes say it. */
const PORT_TAKEN = /address already in use/i;

/**
 * Starts something on ports that were free a moment ago. Somebody else may take one between the look and the bind: then
 * it is tried on others, up to three times. Every other failure goes through.
 */
export async function onFreePorts<P, T>(
  look: () => Promise<P>,
  start: (free: P) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const free = await look();
    try {
      return await start(free);
    } catch (error) {
      if (!PORT_TAKEN.test(String(error)) || attempt === START_ATTEMPTS) throw error;
    }
  }
}
