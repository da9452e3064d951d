// Step 11: since when? Profile likelihood of a Poisson step in the slice's events over time: for every split the log-likelihood ratio of
// "rate rose here" (the offline form of FOCuS, Romano et al. 2023); the best split is the onset, the interval holds all splits within 2
// units of it. Looks a little before the incident too, because people notice late.

export interface Onset {
  at: number
  low: number
  high: number
  /** Log-likelihood ratio of the best split. */
  score: number
}

/** Support: all splits within this of the best. */
const SUPPORT = 2
const BINS = 240

/** Times, events and expected events of the slice's rows in the searched stretch, in any order. */
export function findOnset(time: Float64Array, events: Float64Array, expected: Float64Array, from: number, to: number): Onset | null {
  if (time.length === 0 || !(to > from)) return null
  const width = (to - from) / BINS
  const count = new Float64Array(BINS)
  const mean = new Float64Array(BINS)
  for (let index = 0; index < time.length; index++) {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(((time[index] as number) - from) / width)))
    count[bin] = (count[bin] as number) + (events[index] as number)
    mean[bin] = (mean[bin] as number) + (expected[index] as number)
  }
  const scores = splitScores(count, mean)
  let best = 0
  // Where nothing was asked for a while, all its splits are alike: what is known is that it had begun when the next row came.
  for (let split = 1; split < BINS; split++) if ((scores[split] as number) >= (scores[best] as number)) best = split
  const top = scores[best] as number
  if (top <= 0) return null
  let low = best
  let high = best
  while (low > 0 && (scores[low - 1] as number) >= top - SUPPORT) low--
  while (high < BINS - 1 && (scores[high + 1] as number) >= top - SUPPORT) high++
  return { at: from + best * width, low: from + low * width, high: from + (high + 1) * width, score: top }
}

/** Score of a rise at the beginning of each bin. */
function splitScores(count: Float64Array, mean: Float64Array): Float64Array {
  let countAfter = count.reduce((sum, value) => sum + value, 0)
  let meanAfter = mean.reduce((sum, value) => sum + value, 0)
  let countBefore = 0
  let meanBefore = 0
  const scores = new Float64Array(count.length)
  for (let split = 0; split < count.length; split++) {
    if (countAfter > 0 && meanAfter > 0) {
      const before = (countBefore + 0.5) / (meanBefore + 0.5)
      const after = countAfter / meanAfter
      if (after > before) {
        const whole = (countBefore + countAfter + 0.5) / (meanBefore + meanAfter + 0.5)
        scores[split] = countAfter * Math.log(after / whole) + (countBefore + 0.5) * Math.log(before / whole)
      }
    }
    countAfter -= count[split] as number
    meanAfter -= mean[split] as number
    countBefore += count[split] as number
    meanBefore += mean[split] as number
  }
  return scores
}
