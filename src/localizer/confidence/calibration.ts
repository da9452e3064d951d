// Clarity → probability of being right, fitted by isotonic regression (pool adjacent violators) on the development seeds of
// bench/truth; docs/accuracy.md says how and on which seeds.
export const CALIBRATION: readonly (readonly [number, number])[] = [
  [1.5, 0.4],
  [2.5, 0.7],
  [3.5, 0.92],
  [5, 0.98],
]
