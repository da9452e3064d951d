// Step 15: how sure? A calibrated map from what can be measured about an answer to the share of such answers that were right.
import type { Confidence } from '@longpole/model/finding'
import { MIN_SCORE, type Pick } from '../selection/select.ts'
import { CALIBRATION } from './calibration.ts'

/** From here on an answer is called high, and from the second on medium. */
export const HIGH = 0.9
export const MEDIUM = 0.6

/** One number that orders answers by how clearly they stand out: nats above the threshold, capped, plus margins. */
export function clarity(pick: Pick): number {
  const margin = pick.candidate.score - Math.max(0, ...pick.rivals.map((rival) => rival.score))
  const adjusted = Number.isFinite(pick.check.score) ? pick.check.score : pick.candidate.score
  const weakest = Math.min(pick.candidate.score - Math.max(0, pick.threshold - MIN_SCORE), adjusted, pick.contrastScore)
  return Math.log1p(Math.max(0, weakest)) + 0.5 * Math.log1p(Math.max(0, margin)) - (pick.victims ? 0.3 : 0)
}

/** Piecewise linear over the fitted knots. */
export function probabilityOf(value: number): number {
  const first = CALIBRATION[0] as [number, number]
  if (value <= first[0]) return first[1]
  for (let index = 1; index < CALIBRATION.length; index++) {
    const [x1, p1] = CALIBRATION[index] as [number, number]
    const [x0, p0] = CALIBRATION[index - 1] as [number, number]
    if (value <= x1) return p0 + ((p1 - p0) * (value - x0)) / Math.max(x1 - x0, 1e-9)
  }
  return (CALIBRATION.at(-1) as [number, number])[1]
}

export function confidenceOf(probability: number): Confidence {
  return probability >= HIGH ? 'high' : probability >= MEDIUM ? 'medium' : 'low'
}
