import type { PostgresMajor } from '@starr/lab';

/** The oldest and the newest that matter everywhere; all of them where time is no object. */
export const MAJORS: readonly PostgresMajor[] =
  process.env['CI'] === 'true' ? [18, 17, 16, 15, 14, 13] : [18, 15];
