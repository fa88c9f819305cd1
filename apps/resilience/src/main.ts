import { readServiceEnvironment } from '@starr/config';
import { runService } from '@starr/doctor-host';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';

const environment = readServiceEnvironment(process.env);

await runService({
  service: 'resilience',
  endsWithStdin: environment.endsWithStdin,
  start: async () => compose(await readConfig(environment)),
});
