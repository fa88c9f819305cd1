import { toDoctorError } from '@starr/kernel';
import type { JaegerRequest, RawSearch, RawTraces } from '../request.ts';
import type { QueryApi } from './query-api.ts';

/** At once; a Jaeger with a slow storage is not asked for everything in one moment. */
const PARALLEL = 6;

/** All services in all slices, the newest slices first, so that what is late is what matters least. */
export async function searchTraces(
  api: QueryApi,
  request: JaegerRequest,
  excluded: readonly string[],
): Promise<RawTraces> {
  const { services: wanted, slices, tracesPerSearch, maxServices } = request;
  const known = new Set(api.services);
  const all =
    wanted.length > 0
      ? wanted.filter((service) => known.has(service))
      : api.services.filter((service) => !excluded.includes(service));
  const services = all.slice(0, maxServices);
  const questions = slices.flatMap((_, slice) => services.map((service) => ({ service, slice })));
  const searches: RawSearch[] = [];
  const worker = async (): Promise<void> => {
    for (let next = questions.shift(); next !== undefined; next = questions.shift()) {
      const { service, slice } = next;
      const range = slices[slice];
      if (range === undefined) continue;
      searches.push({ service, slice, answer: await search(api, service, range, tracesPerSearch) });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return {
    services,
    unknown: wanted.filter((service) => !known.has(service)),
    leftOut: all.length - services.length,
    searches,
  };
}

/** One that fails does not take the others with it. */
async function search(
  api: QueryApi,
  ...asked: Parameters<QueryApi['search']>
): Promise<RawSearch['answer']> {
  try {
    return { state: 'seen', resourceSpans: await api.search(...asked) };
  } catch (thrown) {
    const { code, rawMessage, details } = toDoctorError(thrown);
    const cure = details['cure'];
    return { state: 'failed', code, says: rawMessage, ...(cure === undefined ? {} : { cure }) };
  }
}
