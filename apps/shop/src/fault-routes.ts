import { type FaultSwitch, parseFaults } from './faults.ts';
import { BadRequest, type Routes } from './http-server.ts';

/**
 * GET /faults, and POST /faults with `{ "on": "leak-connections:3,errors", "off": "slow-query" }`.
 * It needs no credential because the shop listens on loopback only. A switch is not logged: a log that
 * names the fault would answer the question that the shop is there to ask.
 */
export function faultRoutes(faults: FaultSwitch): Routes {
  return {
    'GET /faults': () => ({ status: 200, body: { faults: faults.list() } }),
    'POST /faults': (body) => {
      const off = faultsIn(body, 'off');
      const on = faultsIn(body, 'on');
      for (const fault of off) faults.turnOff(fault.name);
      for (const fault of on) faults.turnOn(fault);
      return { status: 200, body: { faults: faults.list() } };
    },
  };
}

function faultsIn(body: unknown, key: 'on' | 'off') {
  const text = fieldOf(body, key) ?? '';
  if (typeof text !== 'string') throw new BadRequest(`"${key}" must be text such as "errors:60"`);
  const parsed = parseFaults(text);
  if (parsed.kind === 'invalid') throw new BadRequest(parsed.problem);
  return parsed.faults;
}

/** A field of a parsed body; undefined when it is not there or the body is no object. */
export function fieldOf(body: unknown, key: string): unknown {
  return typeof body === 'object' && body !== null
    ? (body as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
