// The scan statistic: is the rate of events of a slice, against its expectation, higher in the incident than in the baseline?
// Two-sample Poisson log-likelihood ratio (Kulldorff 1997, with the baseline's own count carrying its uncertainty):
// G = C_A ln(C_A/(X_A r)) + C_B ln(C_B/(X_B r)), r = (C_A + C_B)/(X_A + X_B), if C_A/X_A > C_B/X_B, else 0.
// score = G/φ − |S|·ln(number of values), φ ≥ variance ÷ mean of independent rows the over-dispersion of the slice's counts in the baseline.

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
 * Contrast inside the incident: how much clearer than the rest's is the slice's rise, each against its own baseline? Log-likelihood ratio of
 * "each rose by its own factor" against "both rose by the same", where the slice is granted one standard error of what the baseline
 * leaves open. Keeps a fleet-wide rise from hiding the slice that causes it. (Wald's z² would be held down by the few events of a healthy
 * rest.) `rate` is the baseline's share of rows with an event: where it is known, rises are compared as odds, because what half of the rows
 * do anyway cannot become three times as frequent. `phi` is the over-dispersion beyond independent rows.
 */
export function contrast(slice: Counts, all: Counts, rate: number, phi: number): number {
  const rest = {
    cA: Math.max(all.cA - slice.cA, 0),
    xA: Math.max(all.xA - slice.xA, 0),
    cB: Math.max(all.cB - slice.cB, 0),
    xB: Math.max(all.xB - slice.xB, 0),
  }
  const own = (slice.cB + SMOOTHING) / (slice.xB + SMOOTHING)
  const others = (rest.cB + SMOOTHING) / (rest.xB + SMOOTHING)
  const granted = Math.exp(Math.sqrt(phi * (1 / (slice.cB + SMOOTHING) + 1 / (rest.cB + SMOOTHING))))
  if (!(rate > 0)) return twoSampleRatio(slice.cA, slice.xA * own * granted, rest.cA, (rest.xA + 0.5) * others) / phi
  const first = trialsOf(slice.cA, slice.xA, rate, own * granted)
  const second = trialsOf(rest.cA, rest.xA, rate, others)
  return commonOddsRatio(first, second) / phi
}

interface Trials {
  events: number
  rows: number
  /** Expected odds of an event. */
  odds: number
}

const MAX_PROBABILITY = 0.98

function trialsOf(events: number, expected: number, rate: number, factor: number): Trials {
  const rows = Math.max(expected / rate, events + 0.5)
  const probability = Math.min(rate * factor, MAX_PROBABILITY)
  return { events, rows, odds: probability / (1 - probability) }
}

/** Binomial log-likelihood ratio of two odds factors against one; 0 where the first is not the larger. */
function commonOddsRatio(first: Trials, second: Trials): number {
  const factorOf = ({ events, rows, odds }: Trials) => (events + 0.25) / (rows - events + 0.25) / odds
  let [low, high] = [factorOf(second), factorOf(first)]
  if (!(high > low)) return 0
  const expectedAt = ({ rows, odds }: Trials, factor: number) => (rows * odds * factor) / (1 + odds * factor)
  const events = first.events + second.events
  // The common factor that explains all events together: expected events grow with it.
  for (let round = 0; round < 40; round++) {
    const middle = Math.sqrt(low * high)
    if (expectedAt(first, middle) + expectedAt(second, middle) < events) low = middle
    else high = middle
  }
  return likelihoodGain(first, expectedAt(first, low)) + likelihoodGain(second, expectedAt(second, low))
}

/** Log-likelihood of the events at their own rate minus that at the expected one. */
function likelihoodGain({ events, rows }: Trials, expected: number): number {
  const part = (count: number, mean: number) => (count > 0 ? count * Math.log(count / Math.max(mean, 1e-9)) : 0)
  return part(events, expected) + part(rows - events, rows - expected)
}

/** Poisson log-likelihood ratio of c1 of x1 against c2 of x2; 0 where the first is not the higher rate. */
function twoSampleRatio(c1: number, x1: number, c2: number, x2: number): number {
  if (c1 <= 0 || x1 <= 0 || c1 * x2 <= c2 * x1) return 0
  const rate = (c1 + c2) / (x1 + x2)
  return c1 * Math.log(c1 / (x1 * rate)) + (c2 > 0 ? c2 * Math.log(c2 / (x2 * rate)) : 0)
}
