import { readdir } from 'node:fs/promises';
import { readStateFiles, runService, serveDoctor } from '@starr/doctor-host';
import { defineDiagnostic, DoctorError, type Read } from '@starr/kernel';

/** A doctor of somebody else, made with the kit: letters that lie in a spool folder until the worker takes them. */
const letters: Read<readonly string[], 'list'> = {
  id: 'spool.letters',
  timeoutMs: 500,
  maxRows: 1000,
  request: () => 'list',
  parse: (raw) => raw as readonly string[],
  relate: (_letters, { target }) => [
    { from: { kind: 'spool', name: target }, is: 'feeds', to: { kind: 'service', name: 'worker' } },
  ],
};
const count = (id: string) =>
  defineDiagnostic({
    id,
    title: 'Letters that wait in the spool',
    explains: 'Counts the files of the folder; more than the limit is a finding.',
    replaces: ['ls | wc -l'],
    reads: { letters },
    thresholds: {
      most: { value: 2, unit: 'count', says: 'letters that may wait', source: 'ours' },
    },
    measures: { waiting: { unit: 'count', says: 'letters in the folder' } },
    judge({ letters: { length: value } }, { most }, { target }) {
      const about = { kind: 'spool', name: target };
      const measured = [{ name: 'waiting', about, value, limit: most }];
      const says = `${value} letters wait in ${target}`;
      return value <= most
        ? { measured }
        : { measured, findings: [{ severity: 'warning', about, says, measured }] };
    },
  });

const [folder = '', port = '', stateDir = ''] = process.argv.slice(2);
const { token } = await readStateFiles(stateDir);
const nothing = () => new DoctorError('TARGET_UNSUPPORTED', { message: 'it only looks' });
await runService({
  service: 'spool-doctor',
  endsWithStdin: false,
  start: () =>
    serveDoctor({
      name: 'spool-doctor',
      // The second one has a prefix that is not its own: nobody must hear it.
      catalog: {
        diagnostics: [count('spool.backlog'), count('db.backlog')],
        remedies: [],
        resolvers: [],
      },
      targets: [
        {
          name: 'letters',
          kind: 'spool',
          acts: false,
          adapter: {
            greet: () => Promise.resolve({ version: '1', now: new Date() }),
            perform: () => readdir(folder),
            apply: () => {
              throw nothing();
            },
            probe: () => Promise.reject(nothing()),
            close: () => Promise.resolve(),
          },
        },
      ],
      port: Number(port),
      credentials: [{ token, role: 'admin' }],
    }),
});
