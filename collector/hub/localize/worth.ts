// Which answers become findings that people see: faults that are sure enough, and load that really slows somebody.
import type { Finding } from '@longpole/model/finding'
import { MEDIUM } from '../../../src/localizer/confidence/confidence.ts'

export function isWorthOpening(finding: Finding): boolean {
  if (finding.verdict === 'localized' || finding.verdict === 'fleet_wide') return finding.probability >= MEDIUM
  return finding.verdict === 'workload_shift' && finding.excess_seconds > 0 && finding.probability >= MEDIUM
}
