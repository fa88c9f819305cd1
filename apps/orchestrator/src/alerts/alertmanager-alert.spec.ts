import { describe, expect, it } from '@jest/globals';
import { parseAlert } from './alertmanager-alert.ts';

const alert = (name: string, startsAt: string, status = 'firing') => ({
  status,
  labels: { alertname: name, severity: 'page' },
  annotations: { summary: 'x' },
  startsAt,
  endsAt: '0001-01-01T00:00:00Z',
  fingerprint: 'f',
});
const payload = (more: object = {}) => ({
  version: '4',
  groupKey: '{}:{alertname="HighErrorRate"}',
  status: 'firing',
  receiver: 'starr',
  alerts: [alert('HighErrorRate', '2026-11-24T03:06:00.5+01:00')],
  ...more,
});
const parse = (more?: object) => parseAlert(JSON.stringify(payload(more)));

describe('what Alertmanager posts', () => {
  it('is a group with its name and its first moment', () => {
    expect(parse()).toEqual({
      ok: true,
      group: {
        key: '{}:{alertname="HighErrorRate"}',
        isFiring: true,
        name: 'HighErrorRate',
        firedAt: '2026-11-24T02:06:00.500Z',
      },
    });
  });

  it('counts those that fire, the earliest first', () => {
    const alerts = [
      alert('Slow', '2026-11-24T03:07:00Z'),
      alert('Errors', '2026-11-24T03:06:00Z'),
      alert('Over', '2026-11-24T01:00:00Z', 'resolved'),
    ];
    expect(parse({ alerts })).toMatchObject({
      group: { name: 'Errors,Slow', firedAt: '2026-11-24T03:06:00.000Z' },
    });
    expect(parse({ status: 'resolved' })).toMatchObject({ group: { isFiring: false } });
  });

  it.each([
    ['no JSON', '{', 'the body is no JSON'],
    ['nothing', '{}', 'version: '],
    ['another version', JSON.stringify(payload({ version: '5' })), 'version: '],
    ['no alert', JSON.stringify(payload({ alerts: [] })), 'alerts: '],
    ['no moment', JSON.stringify(payload({ alerts: [alert('A', 'now')] })), 'alerts.0.startsAt: '],
    ['a list', '[]', 'the body: '],
  ])('is refused with the place when it is %s', (_what, text, says) => {
    expect(parseAlert(text)).toEqual({ ok: false, says: expect.stringContaining(says) });
  });
});
