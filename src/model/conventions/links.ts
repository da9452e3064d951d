// Identities that links are built from: dashboard uids, console paths, runbook addresses.

export const DASHBOARD_UIDS = {
  'fleet-overview': 'longpole-fleet',
  'where-the-time-goes': 'longpole-time',
  bottlenecks: 'longpole-bottlenecks',
  'queue-and-capacity': 'longpole-queue',
  'prefill-and-kv-cache': 'longpole-prefill',
  decode: 'longpole-decode',
  disaggregation: 'longpole-pd',
  'experts-and-ranks': 'longpole-experts',
  replica: 'longpole-replica',
  'client-and-network': 'longpole-client',
  'cold-start-and-scaling': 'longpole-scaling',
  cost: 'longpole-cost',
  'longpole-itself': 'longpole-self',
} as const
export type DashboardName = keyof typeof DASHBOARD_UIDS

export const ConsolePath = {
  now: '/',
  why: (finding: string) => `/why/${encodeURIComponent(finding)}`,
  explore: '/explore',
  requests: '/requests',
  request: (record: string) => `/requests/${encodeURIComponent(record)}`,
  fleet: '/fleet',
  alerts: '/alerts',
} as const

/** Base address of the committed runbooks; a user's own mirror goes into `alerts.runbookBaseUrl`. */
export const RUNBOOK_BASE_URL = 'https://github.com/longpole/longpole/blob/main/alerts'
export function runbookUrl(alert: string, base: string = RUNBOOK_BASE_URL): string {
  return `${base}/${alert}/runbook.md`
}
