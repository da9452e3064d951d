// The scan statistic: is the rate of events of a slice, against its expectation, higher in the incident than in the baseline?
// Two-sample Poisson log-likelihood ratio (Kulldorff 1997, with the baseline's own count carrying its uncertainty):
// G = C_A ln(C_A/(X_A r)) + C_B ln(C_B/(X_B r)), r = (C_A + C_B)/(X_A + X_B), if C_A/X_A > C_B/X_B, else 0.
// score = G/φ − |S|·ln(number of values), φ ≥ 1 the over-dispersion of the slice's counts in the baseline.

/** Added to both sides of the baseline, so that a slice without a baseline is not infinitely surprising. */
const SMOOTHING = 2

export interface Counts {
  /** Events and expected events in the incident and in the baseline. */
  cA: number
  xA: number
  cB: number
  xB: number
}

export function logLikelihoodRatio(cA: number, xA: number, cB: number, xB: number): number {
  if (cA <= 0 || xA <= 0) return 0
  const b = cB + SMOOTHING
  const y = xB + SMOOTHING
  if (cA * y <= b * xA) return 0
  const rate = (cA + b) / (xA + y)
  return cA * Math.log(cA / (xA * rate)) + b * Math.log(b / (y * rate))
}

/** How many times more events than expected, with the slice's own baseline as the yardstick. */
export function riskRatio(counts: Counts): number {
  return (counts.cA + 0.5) / (counts.xA + 0.5) / ((counts.cB + SMOOTHING) / (counts.xB + SMOOTHING))
}

/** ln of the number of ways to choose k of n, by Stirling's series where it is large. */
export function logChoose(n: number, k: number): number {
  let sum = 0
  for (let index = 1; index <= Math.min(k, n - k); index++) sum += Math.log((n - index + 1) / index)
  return sum
}

/**
 * Contrast inside the incident: ln of (slice's risk ÷ the rest's risk), each against its own baseline, and the log-likelihood ratio of the
 * slice's events against the rest's, where the slice is granted one standard error of what the baseline leaves open. Keeps a fleet-wide
 * rise from hiding the slice that causes it. (Wald's z² would be held down by the few events of a healthy rest.)
 */
export function contrast(slice: Counts, all: Counts, phi: number): { logRatio: number; score: number } {
  const cA = Math.max(all.cA - slice.cA, 0)
  const xA = Math.max(all.xA - slice.xA, 0) + 0.5
  const cB = Math.max(all.cB - slice.cB, 0) + SMOOTHING
  const xB = Math.max(all.xB - slice.xB, 0) + SMOOTHING
  const own = slice.xA * ((slice.cB + SMOOTHING) / (slice.xB + SMOOTHING))
  const others = xA * (cB / xB)
  const logRatio = Math.log((slice.cA + 0.5) / (own + 0.5)) - Math.log((cA + 0.5) / (others + 0.5))
  const granted = own * Math.exp(Math.sqrt(phi * (1 / (slice.cB + SMOOTHING) + 1 / cB)))
  return { logRatio, score: twoSampleRatio(slice.cA, granted, cA, others) / phi }
}

/** Poisson log-likelihood ratio of c1 of x1 against c2 of x2; 0 where the first is not the higher rate. */
function twoSampleRatio(c1: number, x1: number, c2: number, x2: number): number {
  if (c1 <= 0 || x1 <= 0 || c1 * x2 <= c2 * x1) return 0
  const rate = (c1 + c2) / (x1 + x2)
  return c1 * Math.log(c1 / (x1 * rate)) + (c2 > 0 ? c2 * Math.log(c2 / (x2 * rate)) : 0)
}
