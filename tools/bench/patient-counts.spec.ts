import { describe, expect, it } from '@jest/globals';
import { parseApiRequests, parseCommandStats } from './patient-counts.ts';

describe('what a Redis was asked', () => {
  it('is counted by command', () => {
    const text =
      '# Commandstats\r\ncmdstat_info:calls=3,usec=90,usec_per_call=30.00\r\ncmdstat_client|list:calls=12,usec=1\r\n';
    expect(parseCommandStats(text)).toEqual({ 'redis INFO': 3, 'redis CLIENT LIST': 12 });
  });

  it('is nothing in another section', () => {
    expect(parseCommandStats('# Stats\r\ntotal_connections_received:7\r\n')).toEqual({});
  });
});

describe('what an API server was asked', () => {
  const line = (labels: string, value: string) => `apiserver_request_total{${labels}} ${value}`;

  it('is counted by verb and resource, whatever the code', () => {
    expect(
      parseApiRequests([
        '# TYPE apiserver_request_total counter',
        line('code="200",resource="pods",scope="namespace",subresource="",verb="LIST"', '4'),
        line('code="403",resource="pods",scope="namespace",subresource="",verb="LIST"', '1'),
        line('code="200",resource="pods",scope="resource",subresource="log",verb="CONNECT"', '6'),
      ]),
    ).toEqual({ 'api LIST pods': 5, 'api CONNECT pods/log': 6 });
  });

  it('leaves out watches, writes and the leases of the control plane', () => {
    expect(
      parseApiRequests([
        line('resource="pods",subresource="",verb="WATCH"', '4'),
        line('resource="pods",subresource="",verb="PATCH"', '4'),
        line('resource="leases",subresource="",verb="GET"', '400'),
      ]),
    ).toEqual({});
  });
});
