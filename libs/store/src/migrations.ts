import { first } from './migrations/0001-first.ts';

export interface Migration {
  /** Ordered by it; permanent. */
  readonly name: string;
  /** Permanent once released: its checksum is compared. A change is a new migration. */
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [first];
