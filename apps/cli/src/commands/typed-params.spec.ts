import { expect, it } from '@jest/globals';
import { typedParams } from './typed-params.ts';

const SCHEMA = JSON.stringify({
  type: 'object',
  properties: {
    application: { type: 'string', maxLength: 63 },
    idleFloorMs: { type: 'number', minimum: 1000 },
    limit: { type: 'integer', default: 200 },
    force: { type: 'boolean' },
  },
});

it.each<[Record<string, string>, object]>([
  [{ application: '4711' }, { application: '4711' }],
  [{ application: 'true' }, { application: 'true' }],
  [{ idleFloorMs: '60000' }, { idleFloorMs: 60_000 }],
  [{ idleFloorMs: '1.5' }, { idleFloorMs: 1.5 }],
  [{ idleFloorMs: '' }, { idleFloorMs: '' }],
  [{ idleFloorMs: '1m' }, { idleFloorMs: '1m' }],
  [{ limit: '-1' }, { limit: -1 }],
  [{ force: 'true' }, { force: true }],
  [{ force: 'yes' }, { force: 'yes' }],
  [{ nobody: '1' }, { nobody: '1' }],
  [{}, {}],
])('reads %j as the schema means it', (texts, params) => {
  expect(typedParams(texts, SCHEMA)).toEqual(params);
});

it('takes a schema without parameters', () => {
  expect(typedParams({ a: '1' }, '{}')).toEqual({ a: '1' });
});
