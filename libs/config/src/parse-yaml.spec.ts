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
      {
        name: 'orders',
        url: 'postgres://starr@127.0.0.1:5432/orders',
        protect: [],
        poolers: [],
        errorTables: [],
      },
    ]);
    expect(config.listen.orchestrator).toBe(7700);
  });

  it('names file, line, column, key and the allowed keys for a key that is not known', () => {
    expect(
      faultOf(
        'environment: prod\ntargets:\n  postgres:\n    - name: orders\n      url: postgres://h/d\n      protct: [a]\n',
      ),
    ).toBe(
      'starr.yaml:6:15: targets.postgres[0].protct is not known; allowed: name, url, password, tls, acting, protect, poolers, errorTables, thresholds',
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

  it('refuses a literal secret, says how to give it, and does not repeat it', () => {
    const orders = 'environment: prod\ntargets:\n  postgres:\n    - name: orders\n';
    const inUrl = faultOf(`${orders}      url: postgres://u:hunter2@h/d\n`);
    expect(inUrl).toContain('a URL without a password; give it by reference under password');
    const literal = faultOf(`${orders}      url: postgres://u@h/d\n      password: hunter2\n`);
    expect(literal).toBe(
      'starr.yaml:6:17: targets.postgres[0].password is no reference to a secret; allowed: one of { env }, { file }, { command }',
    );
    const inShape = faultOf(
      `${orders}      url: postgres://u@h/d\n      password: { is: hunter2 }\n`,
    );
    const webhook = faultOf(
      'environment: prod\nnotify:\n  - { shape: slack, url: "https://hooks.example/hunter2" }\n',
    );
    const store = faultOf('environment: prod\nstore:\n  url: postgres://u:hunter2@h/d\n');
    for (const fault of [inUrl, literal, inShape, webhook, store]) {
      expect(fault).toMatch(/^starr\.yaml:\d+:\d+: /);
      expect(fault).not.toContain('hunter2');
    }
  });

  it('takes the poolers of a target, each by its own name and with secrets by reference', () => {
    const poolers = (...lines: readonly string[]) =>
      [
        'environment: prod\ntargets:\n  postgres:\n    - name: orders\n      url: postgres://u@h/d\n      poolers:',
        ...lines.map((line) => `        - ${line}`),
      ].join('\n');
    const [target] = parse(
      poolers('{ name: a, url: "postgres://s@h:6432", acting: { user: admin } }'),
    ).targets.postgres;
    expect(target?.poolers).toEqual([
      { name: 'a', url: 'postgres://s@h:6432', acting: { user: 'admin' } },
    ]);
    const twice = '{ name: a, url: "postgres://s@h:6432" }';
    expect(faultOf(poolers(twice, twice))).toContain(
      'names of poolers must be unique within their target',
    );
    const literal = faultOf(poolers('{ name: a, url: "postgres://s:hunter2@h:6432" }'));
    expect(literal).toContain('a URL without a password; give it by reference under password');
    expect(literal).not.toContain('hunter2');
    expect(faultOf(poolers('{ name: a, url: "postgres://s@h:6432", user: b }'))).toContain(
      'allowed: name, url, password, tls, acting',
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
