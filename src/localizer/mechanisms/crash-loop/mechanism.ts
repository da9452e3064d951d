// A replica restarts again and again: requests fail, its age falls back to zero.

import { evidence, type MechanismTest, percent } from '../mechanism.ts'
import type { Signals } from '../signals.ts'

const YOUNG_SECONDS = 300

/** Slack for ages and stamps that are rounded. */
const SLACK_SECONDS = 5

/**
 * Times that a replica was started between two looks at it: its age fell back, to no more than the time between them. An age that falls
 * back and is still large is another way of telling the age, such as another exporter behind the same name.
 */
function countRestarts(signals: Signals): number {
  const last = new Map<string, { age: number; unixNano: bigint }>()
  let restarts = 0
  const samples = [...signals.samplesNow()].sort((left, right) => Number(left.unix_ns - right.unix_ns))
  for (const { replica, rank, age_seconds: age, unix_ns: unixNano } of samples) {
    if (age === null) continue
    const key = `${replica} ${rank}`
    const before = last.get(key)
    if (before !== undefined) {
      const betweenSeconds = Number(unixNano - before.unixNano) / 1e9
      if (age < before.age - SLACK_SECONDS && age <= betweenSeconds + SLACK_SECONDS) restarts++
    }
    last.set(key, { age, unixNano })
  }
  return restarts
}

export const crashLoop: MechanismTest = {
  id: 'crash_loop',
  signals: ['outcome', 'replica_age', 'cold', 'up', 'age_seconds'],
  confusedWith: ['server_errors', 'hang', 'cold_start'],
  test(signals) {
    const failed = signals.outcomes('error', 'timeout', 'rejected')
    const restarts = countRestarts(signals)
    if (restarts >= 2) return evidence(0.95, [`its engines restarted ${restarts} times in the incident`])
    if (failed === null || failed.now < failed.before + 0.03) return null
    const age = signals.quantileChange('replica_age', 0.5)
    const sampled = signals.samplesNow()
    const down = sampled.filter((sample) => !sample.up).length / Math.max(sampled.length, 1)
    const young = age !== null && age.now < Math.max(YOUNG_SECONDS, age.before / 4)
    const youngest = sampled.reduce(
      (least, sample) => Math.min(least, sample.age_seconds ?? Number.POSITIVE_INFINITY),
      Number.POSITIVE_INFINITY,
    )
    const restarted = young || down > 0.05 || youngest < YOUNG_SECONDS
    const known = age !== null || sampled.length > 0
    if (known && !restarted) return null
    return evidence(
      known ? 0.9 : signals.isSliceOf('replica', 'node') ? 0.5 : 0.2,
      [
        `${percent(failed.now)} of the requests fail (${percent(failed.before)} before)`,
        young && `its replicas are ${Math.round(age?.now ?? 0)} s old`,
        down > 0.05 && `${percent(down)} of its scrapes found nobody`,
      ],
      [],
      known ? [] : ['replica_age or engine samples: restarts are unseen'],
    )
  },
}
