import { describe, expect, it } from '@jest/globals';
import {
  blindFromError,
  blindSpot,
  canonicalJson,
  DoctorError,
  durationText,
  entityKey,
  ENTITY_KINDS,
  ERROR_CODES,
  hashJson,
  isBlindSpot,
  isDoctorError,
  isErrorCode,
  isPartial,
  optional,
  parseDurationMs,
  passageOf,
  statusOf,
  toDoctorError,
  windowed,
  type Look,
  type Read,
  type Verdict,
} from './index.ts';

const about = { kind: 'postgres', name: 'orders' };
const measured = [{ name: 'usedRatio', about, value: 0.5 }];
const blind = [blindSpot('denied', 'no leave')];
const finding = { severity: 'warning' as const, about, says: 'x', measured: [] };
const change = { about, at: new Date(0), says: 'rolled out' };

describe('the status of a verdict', () => {
  const cases: [string, Verdict, string, boolean][] = [
    ['a finding, whatever else is blind', { measured, findings: [finding], blind }, 'found', true],
    ['a finding without a measurement', { measured: [], findings: [finding] }, 'found', false],
    ['nothing measured, and blind', { measured: [], blind }, 'blind', false],
    ['nothing at all: silence is not health', { measured: [] }, 'blind', false],
    ['changes alone: it looked', { measured: [], changes: [change] }, 'healthy', false],
    [
      'changes alone, but blind beside them',
      { measured: [], changes: [change], blind },
      'blind',
      false,
    ],
    ['measured and nothing found', { measured }, 'healthy', false],
    ['measured, and blind beside it', { measured, blind }, 'healthy', true],
  ];
  it.each(cases)('%s', (_name, verdict, status, partial) => {
    expect(statusOf(verdict)).toBe(status);
    expect(isPartial(verdict)).toBe(partial);
  });
});

describe('errors', () => {
  it('carry the code in front, the raw message beside it, and are recognised by brand', () => {
    const error = new DoctorError('TARGET_DENIED', {
      message: 'no leave',
      details: { cure: 'GRANT' },
    });
    expect(error.message).toBe('[TARGET_DENIED] no leave');
    expect(error.rawMessage).toBe('no leave');
    expect(isDoctorError(error)).toBe(true);
    expect(isDoctorError({ code: 'TARGET_DENIED' })).toBe(false);
  });

  it('keep an unknown error as the cause of INTERNAL', () => {
    const cause = new Error('boom');
    expect(toDoctorError(cause)).toMatchObject({ code: 'INTERNAL', cause });
  });

  it('every code says something and is found by its own name', () => {
    for (const [code, { says }] of Object.entries(ERROR_CODES)) {
      expect(isErrorCode(code)).toBe(true);
      expect(says).toMatch(/\.$/);
    }
    expect(isErrorCode('toString')).toBe(false);
  });

  it.each([
    ['TARGET_DENIED', 'denied'],
    ['TARGET_UNREACHABLE', 'unreachable'],
    ['EVIDENCE_TIMEOUT', 'timeout'],
    ['TARGET_UNSUPPORTED', 'unsupported'],
    ['EVIDENCE_TRUNCATED', 'truncated'],
    ['INTERNAL', 'unsupported'],
  ] as const)('%s reads as blind spot %s, with its cure', (code, why) => {
    const spot = blindFromError(new DoctorError(code, { message: 'm', details: { cure: 'c' } }));
    expect(spot).toEqual({ kind: 'blind', why, detail: 'm', cure: 'c' });
  });
});

describe('durations', () => {
  it.each([
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['0s', 0],
    ['', undefined],
    ['30', undefined],
    ['-1s', undefined],
    ['1.5h', undefined],
  ])('%j is %p ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [9999, '10.0 s'],
    [10_000, '10 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [7_200_000, '2 h 0 min'],
    [172_800_000, '2 d'],
  ])('%p ms reads %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe('canonical JSON', () => {
  it('is the same whatever the order of keys, and leaves absent members out', async () => {
    expect(canonicalJson({ b: 1, a: [true, null, { d: undefined, c: 'x' }] })).toBe(
      '{"a":[true,null,{"c":"x"}],"b":1}',
    );
    expect(await hashJson({ a: 1, b: 2 })).toBe(await hashJson({ b: 2, a: 1 }));
    expect(await hashJson({ a: 1 })).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await hashJson({ a: 1 })).not.toBe(await hashJson({ a: '1' }));
  });
});

describe('entities', () => {
  it('of one name in two scopes are two', () => {
    expect(entityKey({ kind: 'pod', name: 'a', scope: 'x' })).not.toBe(
      entityKey({ kind: 'pod', name: 'a', scope: 'y' }),
    );
  });

  it('of a kind that nobody here knows let paths through', () => {
    expect(passageOf('kafka-topic')).toBe('yes');
    expect(passageOf('toString')).toBe('yes');
    expect(passageOf('postgres')).toBe('no');
    expect(Object.keys(ENTITY_KINDS)).toContain('address');
  });
});

describe('wrapped reads', () => {
  const look: Look = { now: new Date(0), windowMs: 1000, version: '1', target: 't', options: {} };
  const read: Read<number, string> = {
    id: 'x.count',
    timeoutMs: 10,
    maxRows: 1,
    request: () => 'ask',
    parse: (raw) => (typeof raw === 'number' ? raw : blindSpot('redacted', 'hidden')),
    relate: (value) => [{ from: about, is: 'has', to: { kind: 'count', name: String(value) } }],
  };

  it('optional: keeps the id, and relates nothing from a blind spot', () => {
    const wrapped = optional(read);
    expect(wrapped.id).toBe('x.count');
    expect(isBlindSpot(wrapped.parse('?', look))).toBe(true);
    expect(wrapped.relate?.(blindSpot('denied', ''), look)).toEqual([]);
    expect(wrapped.relate?.(3, look)).toHaveLength(1);
  });

  it('windowed: has an id of its own and relates from the later sample', () => {
    const wrapped = windowed(read);
    expect(wrapped.id).toBe('x.count@window');
    expect(wrapped.wrap).toMatchObject({ as: 'windowed', inner: read });
    expect(wrapped.relate?.({ before: 1, after: 2, elapsedMs: 5 }, look)[0]?.to.name).toBe('2');
  });
});
