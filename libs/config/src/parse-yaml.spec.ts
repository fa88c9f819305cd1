import { describe, expect, it } from '@jest/globals';
import { parseYaml } from './parse-yaml.ts';
import { starrYamlSchema } from './starr-yaml.ts';

const parse = (text: string) => parseYaml(text, 'starr.yaml', starrYamlSchema);

function faultOf(text: string): string {
  try {
    parse(text);
  } catch (error) {
    return (error as { rawMessage: string }).rawMessage;
  }
  return 'no fault';
}

describe('starr.yaml', () => {
  it('needs no more than an environment and one target', () => {
    const config = parse(
      'environment: prod-eu\ntargets:\n  postgres:\n    - name: orders\n      url: postgres://starr@127.0.0.1:5432/orders\n',
    );
    expect(config.targets.postgres).toEqual([
      { name: 'orders', url: 'postgres://starr@127.0.0.1:5432/orders', protect: [] },
    ]);
    expect(config.listen.orchestrator).toBe(7700);
  });

  it('names file, line, column, key and the allowed keys for a key that is not known', () => {
    expect(
      faultOf(
        'environment: prod\ntargets:\n  postgres:\n    - name: orders\n      url: postgres://h/d\n      protct: [a]\n',
      ),
    ).toBe(
      'starr.yaml:6:15: targets.postgres[0].protct is not known; allowed: name, url, password, tls, acting, protect, thresholds',
    );
  });

  it('names the value received and what is allowed for a value out of range', () => {
    expect(faultOf('environment: prod\nlisten:\n  orchestrator: 70000\n')).toBe(
      'starr.yaml:3:17: listen.orchestrator is 70000; allowed: a number from 0 to 65535',
    );
  });

  it('says where a missing key belongs', () => {
    expect(faultOf('targets: {}\n')).toBe(
      'starr.yaml:1:1: environment is missing; allowed: a text',
    );
  });

  it('refuses a literal password and says how to give it', () => {
    expect(
      faultOf(
        'environment: prod\ntargets:\n  postgres:\n    - name: orders\n      url: postgres://u:secret@h/d\n',
      ),
    ).toContain('a URL without a password; give it by reference under password');
    expect(faultOf('environment: prod\nstore:\n  url: postgres://u@h/d\n')).toBe(
      'starr.yaml:3:8: store.url is "postgres://u@h/d"; allowed: one of { env }, { file }, { command }',
    );
  });

  it('reports all faults at once', () => {
    expect(faultOf('environment: prod\nlisten:\n  http: -1\nextra: 1\n').split('\n')).toHaveLength(
      2,
    );
  });

  it('points at the line of broken YAML', () => {
    expect(faultOf('environment: prod\ntargets: [\n')).toMatch(/^starr\.yaml:3:1: /);
  });

  it('refuses two targets of one name', () => {
    const twice =
      'environment: p\ntargets:\n  redis:\n    - { name: a, url: "redis://h" }\n    - { name: a, url: "redis://h" }\n';
    expect(faultOf(twice)).toContain('target names must be unique');
  });
});
