// All recording rules: the objectives', the fleet's and those of its slices.
import type { ObjectiveSet } from '../objectives.ts'
import type { RecordingGroup } from '../rule.ts'
import { fleetRecordings } from './fleet.ts'
import { sliceRecordings } from './slices.ts'
import { sloRecordings } from './slo.ts'

export function recordings(sets: readonly ObjectiveSet[], periodDays: number): RecordingGroup[] {
  return [...sloRecordings(sets, periodDays), ...fleetRecordings(), ...sliceRecordings()]
}
