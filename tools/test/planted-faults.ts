/** One text in one place, and the one rule that must speak; `breaks` absent: none may. */
export interface Planted {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly breaks?: string;
}

const BOUNDARY = '@nx/enforce-module-boundaries';
const IMPORTS = 'no-restricted-imports';
const use = (from: string) => `import * as it from '${from}';\nexport const used = it;`;

/** The import table of docs/architecture.md section 6, both sides, and the rules of the house. */
export const PLANTED: readonly Planted[] = [
  {
    name: 'kernel imports nothing of the house',
    file: 'libs/kernel/src/planted.ts',
    text: use('@starr/wire'),
    breaks: BOUNDARY,
  },
  {
    name: 'a target does not import wire',
    file: 'libs/postgres/src/planted.ts',
    text: use('@starr/wire'),
    breaks: BOUNDARY,
  },
  {
    name: 'a target does not import another target',
    file: 'libs/postgres/src/planted.ts',
    text: use('@starr/redis'),
    breaks: BOUNDARY,
  },
  {
    name: 'a domain library does not import infrastructure',
    file: 'libs/incident/src/planted.ts',
    text: use('@starr/store'),
    breaks: BOUNDARY,
  },
  {
    name: 'infrastructure does not import a target',
    file: 'libs/doctor-host/src/planted.ts',
    text: use('@starr/postgres'),
    breaks: BOUNDARY,
  },
  {
    name: 'no library imports an app',
    file: 'libs/doctor-host/src/planted.ts',
    text: use('../../../apps/db-doctor/src/compose.ts'),
    breaks: BOUNDARY,
  },
  {
    name: 'an app does not import an app',
    file: 'apps/cli/src/planted.ts',
    text: use('../../db-doctor/src/compose.ts'),
    breaks: BOUNDARY,
  },
  {
    name: 'an app may import a target',
    file: 'apps/db-doctor/src/planted.ts',
    text: use('@starr/postgres'),
  },
  {
    name: 'a target may import the kernel',
    file: 'libs/postgres/src/planted.ts',
    text: use('@starr/kernel'),
  },
  {
    name: 'a diagnostic does not import the driver',
    file: 'libs/postgres/src/diagnostics/planted.ts',
    text: use('pg'),
    breaks: IMPORTS,
  },
  {
    name: 'nor a part of the driver',
    file: 'libs/redis/src/diagnostics/planted.ts',
    text: use('ioredis/built/utils'),
    breaks: IMPORTS,
  },
  {
    name: 'a judge does not touch the machine',
    file: 'libs/kubernetes/src/diagnostics/planted.ts',
    text: use('node:fs'),
    breaks: IMPORTS,
  },
  {
    name: 'the matcher does not touch the machine',
    file: 'libs/incident/src/planted.ts',
    text: use('node:fs'),
    breaks: IMPORTS,
  },
  {
    name: 'an adapter may import its driver',
    file: 'libs/postgres/src/adapter/planted.ts',
    text: use('pg'),
  },
  {
    name: 'no default exports',
    file: 'libs/kernel/src/planted.ts',
    text: 'export default 1;',
    breaks: 'import-x/no-default-export',
  },
  {
    name: 'the environment is read in config.ts alone',
    file: 'libs/store/src/planted.ts',
    text: "export const home = process.env['HOME'];",
    breaks: 'no-restricted-syntax',
  },
  {
    name: 'an app reads the environment in config.ts',
    file: 'apps/db-doctor/src/config.ts',
    text: "export const home = process.env['HOME'];",
  },
  {
    name: 'no jest.mock',
    file: 'libs/kernel/src/planted.spec.ts',
    text: "import { jest } from '@jest/globals';\njest.mock('./entity.ts');",
    breaks: 'no-restricted-properties',
  },
  {
    name: 'no console in a library',
    file: 'libs/store/src/planted.ts',
    text: "console.log('x');",
    breaks: 'no-console',
  },
  {
    name: 'no import cycle',
    file: 'tools/test/planted-cycle/one.ts',
    text: "export { two } from './two.ts';\nexport const one = 1;",
    breaks: 'import-x/no-cycle',
  },
];
