/** A ratio as a percentage: 0.14 → 14 %, 0.002 → 0.2 %. */
export function percentText(ratio: number): string {
  const percent = ratio * 100;
  return `${percent > 0 && percent < 1 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}
