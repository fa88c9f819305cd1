import { readdirSync, existsSync } from 'node:fs';

// One jest for the whole house prints one summary; each project keeps its own root and name.
const projects = ['libs', 'apps', 'tools']
  .flatMap((top) =>
    top === 'tools' ? ['tools'] : readdirSync(top).map((name) => `${top}/${name}`),
  )
  .filter((dir) => existsSync(dir === 'tools' ? 'tools' : `${dir}/package.json`));

export default {
  projects: projects.map((dir) => ({
    displayName: dir.startsWith('libs/') ? dir.slice('libs/'.length) : dir.replace('/', '-'),
    rootDir: dir,
    testEnvironment: 'node',
    testMatch: [dir === 'tools' ? '<rootDir>/**/*.spec.ts' : '<rootDir>/src/**/*.spec.ts'],
    cacheDirectory: '<rootDir>/../node_modules/.cache/jest',
    extensionsToTreatAsEsm: ['.ts'],
    transform: {},
    testEnvironmentOptions: { customExportConditions: ['@starr/source', 'node', 'node-addons'] },
    // Real servers on a busy machine: a bound against hanging, not a measure of speed.
    testTimeout: 60_000,
    injectGlobals: false,
    restoreMocks: true,
  })),
  testTimeout: 60_000,
  coverageProvider: 'v8',
};
