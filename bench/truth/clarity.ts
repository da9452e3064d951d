// The clarity behind a finding's probability, by inverting the calibrated map: what the next calibration is fitted on.
import type { Finding } from '@longpole/model/finding'
import { CALIBRATION } from '../../src/localizer/confidence/calibration.ts'

export function clarityOf(finding: Finding): number {
  const p = finding.probability
  for (let index = 1; index < CALIBRATION.length; index++) {
    const [x1, p1] = CALIBRATION[index] as [number, number]
    const [x0, p0] = CALIBRATION[index - 1] as [number, number]
    if (p <= p1) return p1 > p0 ? x0 + ((p - p0) / (p1 - p0)) * (x1 - x0) : x0
  }
  return (CALIBRATION.at(-1) as [number, number])[0]
}
