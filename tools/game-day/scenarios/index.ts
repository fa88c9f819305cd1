import type { Scenario } from '../scenario.ts';
import { breakerStuck } from './breaker-stuck.ts';
import { cacheFull, cureUndone } from './cache-full.ts';
import { loudErrors, staticPool } from './controls.ts';
import { cureNotFelt } from './cure-not-felt.ts';
import { ddlSandwich } from './ddl-sandwich.ts';
import { leakBehindPgbouncer } from './leak-behind-pgbouncer.ts';
import { forgottenTransaction } from './forgotten-transaction.ts';
import { missingIndex } from './missing-index.ts';
import { slotFillsDisk } from './slot-fills-disk.ts';
import {
  leakBehindSharedAddress,
  leakOfPodsBehindSharedAddress,
} from './leak-behind-shared-address.ts';
import { leakByRollout } from './leak-by-rollout.ts';
import { roleLimit } from './role-limit.ts';
import { twoCauses } from './two-causes.ts';

export const SCENARIOS: readonly Scenario[] = [
  leakByRollout,
  leakBehindPgbouncer,
  leakBehindSharedAddress,
  leakOfPodsBehindSharedAddress,
  breakerStuck,
  cacheFull,
  cureUndone,
  cureNotFelt,
  ddlSandwich,
  roleLimit,
  twoCauses,
  forgottenTransaction,
  missingIndex,
  slotFillsDisk,
  staticPool,
  loudErrors,
];
