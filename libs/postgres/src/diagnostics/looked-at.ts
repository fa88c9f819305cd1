import { blindSpot, type BlindSpot } from '@starr/kernel';

/** What the reads over one database's tables and indexes say of their own bounds. */
export interface LookedAt {
  readonly database: string;
  readonly truncated: boolean;
  readonly elsewhere: readonly string[];
}

/** Tables can be seen from inside their database alone: where others work was not looked at, and what was left out. */
export function boundsOf({ database, truncated, elsewhere }: LookedAt, what: string): BlindSpot[] {
  return [
    ...(elsewhere.length === 0
      ? []
      : [
          blindSpot(
            'unsupported',
            `${what} were looked at in the database ${database} only, and sessions work in ${elsewhere.join(', ')} too`,
            'Add a target for each further database to starr.yaml: tables can be seen from inside their database alone.',
          ),
        ]),
    ...(truncated ? [blindSpot('truncated', `the smallest ${what} were left out`)] : []),
  ];
}
