// A correlation of values that hardly move is one of noise.
const leastVariation = 0.05;

/** How two values moved together over the last so many pairs. */
export class CorrelationWindow {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  #next = 0;
  count = 0;

  constructor(size: number) {
    this.#x = new Float64Array(size);
    this.#y = new Float64Array(size);
  }

  add(x: number, y: number): void {
    this.#x[this.#next] = x;
    this.#y[this.#next] = y;
    this.#next = (this.#next + 1) % this.#x.length;
    if (this.count < this.#x.length) this.count++;
  }

  clear(): void {
    this.#next = 0;
    this.count = 0;
  }

  /**
   * −1 to 1; 0 when either of them hardly moves. `yVariation` is the standard deviation of the second as a share of
   * its mean.
   */
  read(): { readonly correlation: number; readonly yVariation: number } {
    const x = this.#spread(this.#x);
    const y = this.#spread(this.#y);
    if (x.variation < leastVariation || y.variation < leastVariation) {
      return { correlation: 0, yVariation: y.variation };
    }
    let together = 0;
    for (let index = 0; index < this.count; index++) {
      together += ((this.#x[index] ?? 0) - x.mean) * ((this.#y[index] ?? 0) - y.mean);
    }
    return {
      correlation: together / this.count / (x.deviation * y.deviation),
      yVariation: y.variation,
    };
  }

  #spread(values: Float64Array): { mean: number; deviation: number; variation: number } {
    let sum = 0;
    for (let index = 0; index < this.count; index++) sum += values[index] ?? 0;
    const mean = sum / Math.max(1, this.count);
    let squares = 0;
    for (let index = 0; index < this.count; index++) squares += ((values[index] ?? 0) - mean) ** 2;
    const deviation = Math.sqrt(squares / Math.max(1, this.count));
    return { mean, deviation, variation: mean === 0 ? 0 : deviation / mean };
  }
}
