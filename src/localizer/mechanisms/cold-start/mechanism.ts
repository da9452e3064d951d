// Young replicas are slow until caches and kernels are warm; it heals with age.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

const YOUNG_SECONDS = 900

export const coldStart: MechanismTest = {
  id: 'cold_start',
  signals: ['cold', 'replica_age', 'age_seconds'],
  confusedWith: ['slower_compute', 'cache_hit_drop', 'crash_loop'],
  test(signals) {
    const cold = signals.change('cold')
    const age = signals.quantileChange('replica_age', 0.25)
    const isCold = cold !== null && cold.now > cold.before + 0.1
    const isYoung = age !== null && age.now < YOUNG_SECONDS && age.now < age.before / 2
    const fresh = signals.rows.baseline.length < signals.rows.incident.length / 20 && signals.isSliceOf('replica', 'node')
    if (!isCold && !isYoung && !fresh) return null
    const failed = signals.outcomes('error')
    return evidence(
      isCold || isYoung ? 0.82 : 0.45,
      [
        isCold && `${percent(cold?.now ?? 0)} of its requests met a cold replica`,
        isYoung && `its replicas are ${Math.round(age?.now ?? 0)} s old`,
        fresh && 'the baseline does not know it',
      ],
      [failed !== null && failed.now > failed.before + 0.05 && 'requests fail'],
      cold === null && age === null ? ['cold or replica_age'] : [],
    )
  },
}
