import { waitUntil, type ShopProcess, type Stage } from '@starr/lab';
import { z } from 'zod';

const stateSchema = z.object({
  policies: z.array(
    z.object({
      kind: z.string(),
      name: z.string(),
      state: z.string().optional(),
      lastMinute: z.object({ failed: z.number() }).optional(),
    }),
  ),
});
type Policy = z.infer<typeof stateSchema>['policies'][number];

const LOOK_EVERY_MS = 1000;

/** Resolves when the breaker of payments is open in every process of checkout. */
export async function untilBreakersOpen({ shop }: Stage): Promise<void> {
  await untilAll(shop.checkouts, 'the breakers of payments to open', 40_000, (policies) =>
    policies.some(
      ({ kind, name, state }) => kind === 'breaker' && name === 'payments' && state === 'open',
    ),
  );
}

/**
 * Resolves when no pool of the shop has left anybody without a connection for a minute: what a machine under load did
 * while everything started is over, and nothing is wrong.
 */
export async function untilCalm({ shop }: Stage): Promise<void> {
  await untilAll([...shop.checkouts, shop.worker], 'the shop to be calm', 90_000, (policies) =>
    policies.every(({ lastMinute }) => (lastMinute?.failed ?? 0) === 0),
  );
}

async function untilAll(
  processes: readonly ShopProcess[],
  what: string,
  withinMs: number,
  holds: (policies: readonly Policy[]) => boolean,
): Promise<void> {
  await waitUntil(
    async () => {
      // Not so often that these requests would count among those of users.
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      const states = await Promise.all(processes.map((process) => process.state()));
      return states.every((state) => holds(stateSchema.parse(state).policies)) || undefined;
    },
    { what, withinMs },
  );
}
