import { loadSealKey, runService, serveDoctor } from '@starr/doctor-host';
import { z } from 'zod';
import { createPondAdapter, pondCatalog } from './pond-catalog.ts';

/** A doctor as a process of its own, outside the five: its options are one JSON argument. */
const optionsSchema = z.strictObject({
  name: z.string(),
  port: z.number(),
  stateDir: z.string(),
  token: z.string(),
  grantPublicKeyPem: z.string(),
  /** Target → its pond. */
  ponds: z.record(z.string(), z.string()),
});

const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? '{}'));

await runService({
  service: options.name,
  endsWithStdin: false,
  start: async () =>
    serveDoctor({
      name: options.name,
      catalog: pondCatalog,
      targets: Object.entries(options.ponds).map(([name, url]) => ({
        name,
        kind: 'pond',
        adapter: createPondAdapter(url),
        acts: true,
      })),
      port: options.port,
      credentials: [{ token: options.token, role: 'admin' }],
      sealKey: await loadSealKey(options.stateDir),
      grantPublicKeyPem: options.grantPublicKeyPem,
      sampler: 'off',
    }),
});
