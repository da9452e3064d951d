// Clarity → probability of being right, fitted by isotonic regression (pool adjacent violators) on the development seeds of
// bench/truth; docs/accuracy.md says how and on which seeds. Strictly increasing, so that the map can be inverted.
export const CALIBRATION: readonly (readonly [number, number])[] = [
  [0, 0.3],
  [1.5, 0.45],
  [2.5, 0.7],
  [3.5, 0.92],
  [5, 0.975],
  [9, 0.99],
]
