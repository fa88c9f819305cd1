import { first } from './migrations/0001-first.ts';
import { longPlans } from './migrations/0002-long-plans.ts';

export interface Migration {
  /** Ordered by it; permanent. */
  readonly name: string;
  /** Permanent once released: its checksum is compared. A change is a new migration. */
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [first, longPlans];
