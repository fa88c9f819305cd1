import type { Entity } from './entity.ts';

/** A number about an entity. An effect is matched on name and about. Units are part of the name (useRatio, longestMs). */
export interface Measurement {
  readonly name: string;
  readonly about: Entity;
  readonly value: number;
  /** The threshold that it was held against; absent: none. */
  readonly limit?: number;
}

/** What a diagnostic measures, for people and for the catalog. */
export interface MeasurementSpec {
  /** ratio (0–1), count, ms, bytes, per-minute … */
  readonly unit: string;
  readonly says: string;
}
