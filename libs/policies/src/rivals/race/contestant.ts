/** Who takes part in a race; `bare` is the await of the work itself, and runs beside each of the others. */
export type Who = 'starr' | 'opossum' | 'cockatiel' | 'p-queue';

export interface Contestant {
  /** One guarded call, or as many as `callsEach` says. */
  readonly call: () => Promise<unknown>;
  /** Default 1. */
  readonly callsEach?: number;
  readonly end?: () => void;
}

/** One thing to do, and everybody who can do it. */
export interface Race {
  /** What is done, in words. */
  readonly says: string;
  readonly contestants: Readonly<Partial<Record<Who, () => Contestant>>>;
}

/** The guarded work: as cheap as an asynchronous function can be. */
export const act = async (): Promise<number> => Promise.resolve(1);

export const fail = async (): Promise<number> => Promise.reject(new Error('down'));
