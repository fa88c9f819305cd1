/** The kubelet's restart back-off. Source of the figures: Kubernetes 1.36 `pkg/kubelet/kubelet.go`. */
export interface BackOffSettings {
  /** Before the second restart; the first one is at once. Kubelet: 10 s. */
  readonly baseMs: number;
  /** The doubling stops here. Kubelet: 300 s. */
  readonly maxMs: number;
  /** A run at least this long forgives all crashes before it. Kubelet: twice the maximum. */
  readonly resetAfterMs: number;
}

export const KUBELET_BACK_OFF: BackOffSettings = {
  baseMs: 10_000,
  maxMs: 300_000,
  resetAfterMs: 600_000,
};

export interface BackOff {
  /** How long to wait before the next start, given how long the run that has just ended lasted. 0: at once. */
  nextDelayMs(ranForMs: number): number;
}

export const createBackOff = (settings: BackOffSettings): BackOff => {
  let ends = 0;
  return {
    nextDelayMs(ranForMs) {
      if (ranForMs >= settings.resetAfterMs) ends = 0;
      ends += 1;
      return ends === 1 ? 0 : Math.min(settings.baseMs * 2 ** (ends - 2), settings.maxMs);
    },
  };
};
