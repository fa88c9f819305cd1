import { describe, expect, it } from '@jest/globals';
import { parseFieldList, parseInfo } from './parse-info.ts';

describe('parseInfo', () => {
  it('knows sections, texts and numbers, whatever the line ends are', () => {
    const info = parseInfo(
      '# Server\r\nredis_version:7.0.15\r\n\r\n# Memory\nused_memory:12\nratio:1.50\n',
    );
    expect([...info.sections]).toEqual(['server', 'memory']);
    expect(info.text('redis_version')).toBe('7.0.15');
    expect(info.count('used_memory')).toBe(12);
    expect(info.count('ratio')).toBe(1.5);
  });

  it.each([
    ['an absent field', 'used_memory:1', 'maxmemory'],
    ['a field that is no number', 'maxmemory:lots', 'maxmemory'],
    ['an empty field', 'maxmemory:', 'maxmemory'],
    ['infinity', 'maxmemory:inf', 'maxmemory'],
  ])('gives no count for %s', (_, text, field) => {
    expect(parseInfo(text).count(field)).toBeUndefined();
  });

  it('keeps everything behind the first colon', () => {
    expect(parseInfo('config_file:/etc/a:b.conf').text('config_file')).toBe('/etc/a:b.conf');
  });

  it('finds fields by pattern in the order of the server', () => {
    expect(parseInfo('db0:keys=1\ndb10:keys=2\ndbsize:3').matching(/^db\d+$/)).toEqual([
      ['db0', 'keys=1'],
      ['db10', 'keys=2'],
    ]);
  });

  it('survives text that is no INFO', () => {
    expect(parseInfo('<html>').sections.size).toBe(0);
  });
});

describe('parseFieldList', () => {
  it('reads pairs, also those without a value', () => {
    expect([...parseFieldList('keys=3,expires=1,odd')]).toEqual([
      ['keys', '3'],
      ['expires', '1'],
      ['odd', ''],
    ]);
  });
});
