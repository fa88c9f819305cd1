import type { Breaker } from '@starr/policies';
import type { Pool, PoolClient } from 'pg';
import type { FaultSwitch } from '../faults.ts';

export interface NewOrder {
  readonly customerId: number;
  readonly amountCents: number;
}

/** The orders of the shop, behind the breaker `orders`. */
export class OrderStore {
  readonly #pool: Pool;
  readonly #breaker: Breaker;
  readonly #faults: FaultSwitch;
  #looks = 0;
  #payments = 0;

  constructor(pool: Pool, breaker: Breaker, faults: FaultSwitch) {
    this.#pool = pool;
    this.#breaker = breaker;
    this.#faults = faults;
    if (faults.amount('leak-connections') !== undefined) useEachOnce(pool);
    faults.onSwitch((fault, is) => {
      if (fault.name === 'leak-connections' && is === 'on') useEachOnce(pool);
      if (fault.name === 'leak-connections' && is === 'off') useAgain(pool);
    });
  }

  /** False when there is no such customer. */
  async hasCustomer(customerId: number): Promise<boolean> {
    return this.#breaker.run(async () => {
      const client = await this.#pool.connect();
      let released = false;
      try {
        const slowMs = this.#faults.amount('slow-query');
        const { rowCount } = await (slowMs === undefined
          ? client.query('SELECT name FROM customers WHERE id = $1', [customerId])
          : client.query('SELECT name, pg_sleep($2) FROM customers WHERE id = $1', [
              customerId,
              slowMs / 1000,
            ]));
        released = this.#forgets();
        return rowCount === 1;
      } finally {
        if (!released) client.release();
      }
    });
  }

  /** Writes a pending order and answers with its id. */
  async place(order: NewOrder): Promise<number> {
    return this.#breaker.run(() =>
      inTransaction(this.#pool, async (client) => {
        const { rows } = await client.query<{ id: string }>(
          `INSERT INTO orders (customer_id, amount_cents) VALUES ($1, $2) RETURNING id`,
          [order.customerId, order.amountCents],
        );
        return Number(rows[0]?.id);
      }),
    );
  }

  async markPaid(orderId: number, paymentId: string): Promise<void> {
    await this.#askByPayment(paymentId);
    await this.#breaker.run(() =>
      this.#pool.query(`UPDATE orders SET status = 'paid', payment_id = $2 WHERE id = $1`, [
        orderId,
        paymentId,
      ]),
    );
  }

  /** The bug of `unindexed-look`: "was it paid already?", released before the index that it needs. */
  async #askByPayment(paymentId: string): Promise<void> {
    const every = this.#faults.amount('unindexed-look');
    if (every === undefined) return;
    this.#payments += 1;
    if (this.#payments % every !== 0) return;
    await this.#breaker.run(() =>
      this.#pool.query('SELECT id FROM orders WHERE payment_id = $1', [paymentId]),
    );
  }

  /** The bug of `leak-connections`: on this path nobody gives the connection back. */
  #forgets(): boolean {
    const every = this.#faults.amount('leak-connections');
    if (every === undefined) return false;
    this.#looks += 1;
    return this.#looks % every === 0;
  }
}

async function inTransaction<T>(pool: Pool, act: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await act(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    client.release(true); // its state is unknown: a new one is cheaper than a doubt
    throw error;
  }
}

/**
 * The faulty revision also "works around stale connections" by using each of them once, so that what
 * it forgets is always a fresh connection with a single use. pg-pool reads the option at each release.
 */
function useEachOnce(pool: Pool): void {
  (pool.options as { maxUses?: number }).maxUses = 1;
}

function useAgain(pool: Pool): void {
  (pool.options as { maxUses?: number }).maxUses = Infinity;
}
