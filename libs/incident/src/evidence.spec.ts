import { describe, expect, it } from '@jest/globals';
import { blindSpot, type Finding } from '@starr/kernel';
import { collectEvidence } from './evidence.ts';
import { at, check, entity, measurement } from './test/build.ts';

const thing = entity('thing', 'a');
const finding = (says: string): Finding => ({
  severity: 'warning',
  about: thing,
  says,
  measured: [],
  since: at('03:00:10'),
});

describe('collectEvidence', () => {
  it('numbers findings about one thing, whatever their order', () => {
    const ids = (...says: readonly string[]) =>
      collectEvidence([check('x.y', 't', { findings: says.map(finding) })]).findings.map(
        ({ id, says: text }) => [id, text],
      );
    expect(ids('b', 'a')).toEqual([
      ['x.y@t thing||a', 'a'],
      ['x.y@t thing||a 2', 'b'],
    ]);
    expect(ids('a', 'b')).toEqual(ids('b', 'a'));
  });

  it('brings moments and relations of a target into our clock', () => {
    const relation = {
      from: thing,
      is: 'of',
      to: thing,
      since: at('03:00:10'),
      until: at('03:01:10'),
    };
    const { findings, changes, relations } = collectEvidence([
      check('x.y', 't', {
        findings: [finding('a')],
        changes: [{ about: thing, at: at('03:00:20'), says: 'changed' }],
        relations: [relation],
        clockSkewMs: 10_000,
      }),
    ]);
    expect(findings[0]?.at).toEqual(at('03:00:00'));
    expect(changes[0]?.at).toEqual(at('03:00:10'));
    expect(relations).toEqual([{ ...relation, since: at('03:00:00'), until: at('03:01:00') }]);
  });

  it('takes for healthy what was measured and has no finding, by target', () => {
    const well = entity('thing', 'b');
    const { healthy } = collectEvidence([
      check('x.y', 't', {
        findings: [{ ...finding('a'), measured: [measurement('fever', thing, 40)] }],
        measured: [measurement('fever', well, 36), measurement('pulse', well, 60)],
      }),
    ]);
    expect(healthy).toMatchObject([{ about: well, says: 'fever 36, pulse 60' }]);
  });

  it('tells blindness in part from blindness', () => {
    const spot = blindSpot('denied', 'no');
    const { blind } = collectEvidence([
      check('x.part', 't', { blind: [spot], measured: [measurement('fever', thing, 36)] }),
      check('x.whole', 't', { blind: [spot] }),
      check('x.untold', 't'),
    ]);
    expect(blind.map(({ diagnostic, isPartial }) => [diagnostic, isPartial])).toEqual([
      ['x.part', true],
      ['x.untold', false],
      ['x.whole', false],
    ]);
  });

  it('accepts a state on its target only', () => {
    const acceptance = {
      diagnostic: 'x.y',
      target: 't',
      until: at('23:00:00'),
      reason: 'known',
      acceptedBy: 'anna',
    };
    const { findings, accepted } = collectEvidence(
      [
        check('x.y', 't', { findings: [finding('a')] }),
        check('x.y', 'u', { findings: [finding('a')] }),
        check('x.z', 't', { findings: [finding('a')] }),
      ],
      { acceptances: [acceptance] },
    );
    expect(accepted.map(({ finding: { id } }) => id)).toEqual(['x.y@t thing||a']);
    expect(findings.map(({ id }) => id)).toEqual(['x.y@u thing||a', 'x.z@t thing||a']);
  });
});
