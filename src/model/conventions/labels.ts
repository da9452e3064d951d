// Labels of the exported metrics, and how many values each may have before further ones become OVERFLOW.

/** Value that stands for all values beyond a label's cap. */
export const OVERFLOW = 'other'

/** Value for a label that is not known. */
export const UNKNOWN = ''

export const LABEL_CAPS = {
  cluster: 64,
  region: 64,
  model: 128,
  pool: 4,
  replica: 512,
  rank: 512,
  phase: 32,
  prompt_class: 5,
  tenant_class: 9,
  slo_result: 3,
  outcome: 8,
  error_class: 32,
  slo: 8,
  vantage: 5,
  result: 2,
  kind: 8,
  source: 128,
  destination: 128,
  transport: 8,
  sdk: 16,
  client_region: 64,
  part: 4,
  tier: 8,
  reason: 32,
  component: 16,
  route: 64,
  event: 64,
} as const

export type LabelName = keyof typeof LABEL_CAPS | 'rank_order' | (string & {})
