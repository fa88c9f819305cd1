import { DoctorError } from '@starr/kernel';
import type { Store } from '@starr/store';

/** The store, or the error that says that there is none. */
export function needStore(store: Store | undefined): Store {
  if (store !== undefined) return store;
  throw new DoctorError('STORE_UNAVAILABLE', {
    message: 'No store is configured.',
    details: { cure: 'set store.url in starr.yaml, or let starr up start one' },
  });
}
