import { DoctorError, type Adapter, type Greeting, type Limit } from '@starr/kernel';
import type { JaegerAct, JaegerRequest } from '../request.ts';
import { createClient } from './get-json.ts';
import { OWN_SERVICES, type JaegerConfig } from './jaeger-config.ts';
import { findQueryApi, type QueryApi } from './query-api.ts';
import { searchTraces } from './search-traces.ts';

/** The header Date has whole seconds: a clock that differs by less is ours. */
const CLOCK_TOLERANCE_MS = 2000;

/** The adapter of one Jaeger. It only looks: no act exists for it. */
export function createJaegerAdapter(config: JaegerConfig): Adapter<JaegerRequest, JaegerAct> {
  const excluded = config.exclude ?? OWN_SERVICES;
  const apiFor = (limit: Limit): Promise<QueryApi> => findQueryApi(createClient(config, limit));
  return {
    async greet(limit) {
      return greetingFrom(await apiFor(limit));
    },
    async perform(request, limit) {
      return searchTraces(await apiFor(limit), request, excluded);
    },
    // There is no act that it could be called with.
    async *apply() {
      await Promise.reject(nothingToDo());
    },
    probe: () => Promise.reject(nothingToDo()),
    close: () => Promise.resolve(),
  };
}

/** Jaeger does not tell its version over the API. */
function greetingFrom({ date }: QueryApi): Greeting {
  const ours = new Date();
  const differs =
    date !== undefined && Math.abs(date.getTime() - ours.getTime()) > CLOCK_TOLERANCE_MS;
  return { version: '', now: differs ? date : ours };
}

function nothingToDo(): DoctorError {
  return new DoctorError('REMEDY_UNKNOWN', { message: 'nothing can be done to a Jaeger' });
}
