// All recording rules: the objectives' and the fleet's.
import type { ObjectiveSet } from '../objectives.ts'
import type { RecordingGroup } from '../rule.ts'
import { fleetRecordings } from './fleet.ts'
import { sloRecordings } from './slo.ts'

export function recordings(sets: readonly ObjectiveSet[], periodDays: number): RecordingGroup[] {
  return [...sloRecordings(sets, periodDays), ...fleetRecordings()]
}
