// What a dimension is about, where the product's own records name it: part of the fleet (can be at fault), part of the workload
// (can have moved), or unknown in somebody else's table.
import { COLUMN_GROUPS } from '@longpole/model/request-columns'

export type Role = 'fleet' | 'workload' | 'unknown'

const FLEET_WORDS: ReadonlySet<string> = new Set(['revision', 'engine', 'engine_version', 'quantization', 'flags_hash', 'sdk_version'])
const ROLES = new Map<string, Role>([
  ...COLUMN_GROUPS.where.map((column): [string, Role] => [column.name, 'fleet']),
  ...COLUMN_GROUPS.what.map((column): [string, Role] => [column.name, FLEET_WORDS.has(column.name) ? 'fleet' : 'workload']),
  ...COLUMN_GROUPS.who.map((column): [string, Role] => [column.name, FLEET_WORDS.has(column.name) ? 'fleet' : 'workload']),
  ['prompt_class', 'workload'],
])

export function roleOf(dimension: string): Role {
  return ROLES.get(dimension) ?? 'unknown'
}

/** Of several names for the same rows, the one to act on: what was changed, then the narrowest part of the fleet, then who. */
const ACTIONABLE = [
  'revision',
  'engine_version',
  'flags_hash',
  'rank',
  'replica',
  'node',
  'ep_group',
  'prefill_replica',
  'decode_replica',
  'gateway',
  'pool',
  'cluster',
  'zone',
  'region',
  'tenant',
  'route',
  'adapter',
  'client_region',
  'sdk_version',
  'sdk',
  'gpu_type',
  'quantization',
  'engine',
  'model',
]

/** Smaller is more actionable; unknown dimensions come after all known ones. */
export function actionability(dimension: string): number {
  const index = ACTIONABLE.indexOf(dimension)
  return index < 0 ? ACTIONABLE.length : index
}
