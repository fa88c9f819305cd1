import type { Stage } from '@starr/lab';
import type { Scenario } from '../scenario.ts';
import { startPlainDay } from './plain-stage.ts';

const MB = 1024 ** 2;

/** A standby was taken away and its slot was not: the server keeps all WAL since. The bounds are those of a small disk. */
export const slotFillsDisk: Scenario = {
  id: 'slot-fills-disk',
  title: 'the slot of a standby that is gone keeps WAL until the disk is full',
  kind: 'fault',
  needs: [],
  async play({ seeded, say, look }) {
    const criticalMb = seeded.int(96, 160);
    const { stage } = await startPlainDay(seeded, {
      thresholds: {
        'db.replication': {
          retainedWarnBytes: (criticalMb * MB) / 2,
          retainedCriticalBytes: criticalMb * MB,
        },
      },
    });
    const slot = seeded.pick(['standby_2', 'cdc_old', 'backup_host']);
    try {
      await stage.postgres.query('SELECT pg_create_physical_replication_slot($1, true)', [slot]);
      await writeWal(stage, criticalMb + 32);
      say(`${slot} keeps more than ${criticalMb} MB of WAL, a quarter of this disk`);
      const sweep = await look(stage.services);
      return { truth: { causes: ['slot-fills-disk'], path: [slot] }, sweep };
    } finally {
      await stage.stop();
    }
  },
};

/** Tables that are made and dropped leave nothing but WAL. */
async function writeWal({ postgres }: Stage, megabytes: number): Promise<void> {
  const pieceMb = 16;
  for (let written = 0; written < megabytes; written += pieceMb) {
    await postgres.query(
      `CREATE TABLE passing AS SELECT repeat('x', 1000) AS text FROM generate_series(1, ${pieceMb * 1000}); DROP TABLE passing`,
      undefined,
      { database: 'orders' },
    );
  }
}
