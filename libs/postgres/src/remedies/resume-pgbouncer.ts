import { defineRemedy, type Plan, type PlanRefused } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresAct } from '../postgres-act.ts';
import { poolersRead } from '../reads/poolers.ts';
import { resumePlan } from './resume-plan.ts';

const paramsSchema = z.strictObject({
  /** Its name in starr.yaml. Absent: the only one. */
  pooler: z.string().max(63).optional(),
  /** As the pooler calls it. Absent: the only one that is paused. */
  database: z.string().max(63).optional(),
});

export const resumePgbouncer = defineRemedy({
  id: 'db.resume-pgbouncer',
  title: 'Resume a paused database of a PgBouncer',
  explains:
    'Lets the clients of a paused database go on. A database is paused by PAUSE, and stays so after KILL until somebody resumes it. ' +
    'Refused when it is not paused. To pause it again, plan db.pause-pgbouncer.',
  params: paramsSchema,
  reads: { poolers: poolersRead },
  plan: (params, { poolers }, look): Plan<PostgresAct> | PlanRefused =>
    resumePlan(params, poolers, look),
});
