import nx from '@nx/eslint-plugin';
import importX from 'eslint-plugin-import-x';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Who may import whom; the table of docs/architecture.md section 6. */
const boundaries = [
  { sourceTag: 'type:kernel', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'type:domain', onlyDependOnLibsWithTags: ['type:kernel'] },
  { sourceTag: 'type:target', onlyDependOnLibsWithTags: ['type:kernel'] },
  {
    sourceTag: 'type:infra',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:domain', 'type:infra'],
  },
  {
    sourceTag: 'type:testing',
    onlyDependOnLibsWithTags: [
      'type:kernel',
      'type:domain',
      'type:target',
      'type:infra',
      'type:testing',
    ],
  },
  {
    sourceTag: 'type:tool',
    onlyDependOnLibsWithTags: [
      'type:kernel',
      'type:domain',
      'type:target',
      'type:infra',
      'type:testing',
    ],
  },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: [
      'type:kernel',
      'type:domain',
      'type:target',
      'type:infra',
      'type:testing',
    ],
  },
];

/** Specs and what they share may also use the lab: real servers. */
const boundariesOfSpecs = boundaries.map((constraint) => ({
  ...constraint,
  onlyDependOnLibsWithTags: [...constraint.onlyDependOnLibsWithTags, 'type:testing', 'type:infra'],
}));
const boundaryRule = (depConstraints, more = {}) => [
  'error',
  { allow: [], depConstraints, enforceBuildableLibDependency: false, ...more },
];

const drivers = ['pg', 'ioredis', '@kubernetes/client-node', '@grpc/grpc-js'];
const notHere = (names, why) => names.map((name) => ({ group: [name, `${name}/*`], message: why }));

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/node_modules/**', 'libs/wire/src/gen/**', '**/*.gen.ts', '.nx/**'],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { '@nx': nx, 'import-x': importX },
    languageOptions: {
      parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    settings: {
      'import-x/extensions': ['.ts', '.js'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      '@nx/enforce-module-boundaries': boundaryRule(boundaries),
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: "Read the environment in the app's config.ts only.",
        },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'jest', property: 'mock', message: 'Real over mocked: pass a port in instead.' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // bivariance of methods lets one catalog hold all diagnostics (kit.md)
      '@typescript-eslint/method-signature-style': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/only-throw-error': 'error',
    },
  },
  {
    // A judge, a plan and a playbook touch no driver and no Node built-in: they stay pure.
    files: ['libs/kernel/src/**/*.ts', 'libs/incident/src/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/files/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...notHere(drivers, 'Domain code knows no driver.'),
            { group: ['node:*'], message: 'Domain code touches no machine.' },
          ],
        },
      ],
    },
  },
  {
    // Only adapter/ may import the driver (design, section 6).
    files: ['libs/{postgres,redis,kubernetes,resilience,jaeger}/src/**/*.ts'],
    ignores: ['**/adapter/**', '**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...notHere(drivers, 'Only adapter/ imports the driver.'),
            { group: ['node:*'], message: 'Only adapter/ touches the machine.' },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', '**/src/spec/**/*.ts', '**/src/test/**/*.ts'],
    rules: {
      // The lab starts what these libraries are tested on, and uses one of them itself.
      '@nx/enforce-module-boundaries': boundaryRule(boundariesOfSpecs, {
        ignoredCircularDependencies: [
          ['@starr/lab', '@starr/store'],
          ['@starr/lab', '@starr/postgres'],
          ['@starr/lab', '@starr/wire'],
        ],
      }),
      'no-restricted-imports': 'off',
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  {
    // The edges of the house: command line, configuration, lab and tools read the environment and print.
    files: [
      'apps/*/src/config.ts',
      'apps/*/src/main.ts',
      'apps/cli/**/*.ts',
      'apps/shop/**/*.ts',
      'libs/lab/**/*.ts',
      'libs/telemetry/src/**/*.ts',
      'tools/**/*.ts',
    ],
    rules: { 'no-restricted-syntax': 'off', 'no-console': 'off' },
  },
  prettier,
);
