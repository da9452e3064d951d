// Something that changed in the fleet: posted through the API, or derived from samples (version, start time, flags, set of replicas).

export const CHANGE_KINDS = ['deploy', 'config', 'scale', 'route', 'model', 'restart', 'note'] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]

export interface ChangeEvent {
  id: string
  kind: ChangeKind
  unix_ns: bigint
  /** Dimensions of the requests it could touch, for example `{ replica: ['a', 'b'] }`; empty means the whole fleet. */
  scope: Record<string, string[]>
  /** One sentence for a person. */
  title: string
  /** Who says so: `api`, `derived`, a CI system's name. */
  source: string
  from_value: string | null
  to_value: string | null
}
