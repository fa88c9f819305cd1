/** What `starr sweep` ends with; other commands use `seen` and `failed` alone. */
export const EXIT = {
  /** Nothing found, and all that is configured was seen. */
  seen: 0,
  /** Findings. */
  found: 1,
  /** Nothing found, but something configured could not be seen. */
  blind: 2,
  /** The command failed, or was called wrongly. */
  failed: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
