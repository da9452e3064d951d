// `longpole doctor --alerts`: the way of an alert, hop by hop — scrape, rules, Prometheus to Alertmanager, routing, delivery — with one
// synthetic incident that really goes out to the people on call, marked as a test.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { CheckResult } from './checks.ts'

export interface AlertingTargets {
  prometheus: string
  alertmanager: string
  /** How long a notification may take; Alertmanager waits for more alerts of the group first. */
  deliverySeconds: number
}

const TEST_ALERT = 'LLMDoctorTest'
const TEST_MODEL = 'longpole-doctor'
const GROUPS = ['longpole-slo-rates', 'longpole-slo', 'longpole-cause', 'longpole-self', 'longpole-watchdog']
const REQUEST_TIMEOUT_MS = 10_000
const POLL_MS = 500

const ok = (check: string, message: string): CheckResult => ({ check, status: 'ok', message, fix: '' })
const fail = (check: string, message: string, fix: string): CheckResult => ({ check, status: 'fail', message, fix })
const warn = (check: string, message: string, fix: string): CheckResult => ({ check, status: 'warn', message, fix })

/** Each hop in order; a hop that cannot be looked at because an earlier one is broken is left out. */
export async function checkAlerting(targets: AlertingTargets): Promise<CheckResult[]> {
  const prometheus = await checkPrometheus(targets.prometheus)
  const alertmanager = await checkAlertmanager(targets.alertmanager)
  const isAlive = alertmanager.every(({ status }) => status !== 'fail')
  return [...prometheus, ...alertmanager, ...(isAlive ? await checkDelivery(targets) : [])]
}

async function getJson<T>(url: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${(await response.text()).slice(0, 200)}`)
  return (await response.json()) as T
}

interface Vector {
  data: { result: { metric: Record<string, string>; value: [number, string] }[] }
}

async function checkPrometheus(url: string): Promise<CheckResult[]> {
  const query = async (expr: string) => (await getJson<Vector>(`${url}/api/v1/query?${new URLSearchParams({ query: expr })}`)).data.result
  try {
    const hubs = await query(METRICS.buildInfo.name)
    const watchdog = await query('ALERTS{alertname="Watchdog", alertstate="firing"}')
    return [
      hubs.length > 0
        ? ok('scrape', `Prometheus scrapes ${hubs.length} hub${hubs.length === 1 ? '' : 's'}`)
        : fail('scrape', `Prometheus at ${url} knows no hub`, 'Add the hub to scrape_configs: its /metrics is on the port of listen.api.'),
      await checkRules(url),
      await checkSending(url),
      watchdog.length > 0
        ? ok('watchdog', 'the watchdog fires')
        : fail('watchdog', 'the watchdog does not fire', 'Load alerts.yaml; it fires from the first evaluation on.'),
    ]
  } catch (error) {
    return [fail('prometheus', `Prometheus does not answer: ${(error as Error).message}`, 'Start it, or name it with --prometheus.')]
  }
}

interface Rules {
  data: { groups: { name: string; rules: { name: string; health: string; lastError?: string }[] }[] }
}

async function checkRules(url: string): Promise<CheckResult> {
  const { groups } = (await getJson<Rules>(`${url}/api/v1/rules`)).data
  const missing = GROUPS.filter((name) => !groups.some((group) => group.name === name))
  if (missing.length > 0) {
    return fail(
      'rules',
      `rule groups are missing: ${missing.join(', ')}`,
      'Run `longpole alerts generate --out DIR` and add DIR/*.yaml to rule_files.',
    )
  }
  const own = groups.filter(({ name }) => name.startsWith('longpole-')).flatMap(({ rules }) => rules)
  const broken = own.filter(({ health }) => health === 'err')
  const [first] = broken
  if (first !== undefined)
    return fail(
      'rules',
      `${broken.length} rules fail, the first is ${first.name}: ${first.lastError ?? ''}`,
      'Generate the rules again with this version.',
    )
  return ok('rules', `${own.length} rules are loaded and evaluate without error`)
}

async function checkSending(url: string): Promise<CheckResult> {
  const { data } = await getJson<{ data: { activeAlertmanagers: { url: string }[] } }>(`${url}/api/v1/alertmanagers`)
  const [first] = data.activeAlertmanagers
  if (first === undefined) return fail('sending', 'Prometheus sends alerts to nobody', 'Name Alertmanager under alerting.alertmanagers.')
  return ok('sending', `Prometheus sends alerts to ${first.url}`)
}

interface PostedAlert {
  labels: Record<string, string>
  receivers: { name: string }[]
  status: { state: string }
}

async function checkAlertmanager(url: string): Promise<CheckResult[]> {
  try {
    const status = await getJson<{ versionInfo: { version: string }; config: { original: string } }>(`${url}/api/v2/status`)
    const alerts = await getJson<PostedAlert[]>(`${url}/api/v2/alerts?${new URLSearchParams({ filter: 'alertname="Watchdog"' })}`)
    const hasTemplates = status.config.original.includes('longpole.tmpl')
    const [watchdog] = alerts
    return [
      ok('alertmanager', `Alertmanager ${status.versionInfo.version} answers at ${url}`),
      hasTemplates
        ? ok('templates', 'pages are rendered by longpole.tmpl')
        : warn(
            'templates',
            'longpole.tmpl is not among the templates',
            'Use alertmanager/alertmanager.yaml as generated, or add its templates and receivers to yours.',
          ),
      watchdog === undefined
        ? fail(
            'arrival',
            'the watchdog has not arrived at Alertmanager',
            'Check the network between Prometheus and Alertmanager and the log of Prometheus.',
          )
        : ok('arrival', `the watchdog arrives and goes to ${watchdog.receivers.map(({ name }) => name).join(', ')}`),
    ]
  } catch (error) {
    return [fail('alertmanager', `Alertmanager does not answer: ${(error as Error).message}`, 'Start it, or name it with --alertmanager.')]
  }
}

async function checkDelivery({ alertmanager, deliverySeconds }: AlertingTargets): Promise<CheckResult[]> {
  const before = await notifications(alertmanager)
  await post(alertmanager, 120)
  try {
    const routed = await poll(deliverySeconds, async () => (await ownAlert(alertmanager))?.receivers.map(({ name }) => name))
    if (routed === undefined)
      return [fail('routing', 'Alertmanager took the test alert and does not show it', 'Look at the log of Alertmanager.')]
    const sent = await poll(deliverySeconds, async () => {
      const after = await notifications(alertmanager)
      const changed = [...after].filter(([integration, count]) => count.tries > (before.get(integration)?.tries ?? 0))
      return changed.length === 0 ? undefined : changed
    })
    return [ok('routing', `a page goes to ${routed.join(', ')}`), ...delivered(sent, before, deliverySeconds)]
  } finally {
    await post(alertmanager, 0)
  }
}

interface Count {
  tries: number
  failures: number
}

function delivered(sent: [string, Count][] | undefined, before: Map<string, Count>, seconds: number): CheckResult[] {
  if (sent === undefined) {
    return [
      fail(
        'delivery',
        `no notification left within ${seconds} s`,
        'Check group_wait of the page route and whether a silence or inhibition holds the test back.',
      ),
    ]
  }
  return sent.map(([integration, { failures }]) => {
    const isBroken = failures > (before.get(integration)?.failures ?? 0)
    return isBroken
      ? fail(
          `delivery ${integration}`,
          `${integration} refused the notification`,
          'Look at the log of Alertmanager for its answer: address, key and network.',
        )
      : ok(`delivery ${integration}`, `${integration} took the notification`)
  })
}

/** Tries and failures by integration, from Alertmanager's own metrics. */
async function notifications(url: string): Promise<Map<string, Count>> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) })
  const counts = new Map<string, Count>()
  for (const line of (await response.text()).split('\n')) {
    const match = /^alertmanager_notifications(_failed)?_total\{integration="([^"]+)"[^}]*\} (\S+)$/.exec(line)
    if (match === null) continue
    const [, failed, integration = '', value] = match
    const count = counts.get(integration) ?? { tries: 0, failures: 0 }
    counts.set(integration, count)
    if (failed === undefined) count.tries += Number(value)
    else count.failures += Number(value)
  }
  return counts
}

async function ownAlert(url: string): Promise<PostedAlert | undefined> {
  const alerts = await getJson<PostedAlert[]>(`${url}/api/v2/alerts?${new URLSearchParams({ filter: `alertname="${TEST_ALERT}"` })}`)
  return alerts[0]
}

/** Fires the test alert, or ends it with `seconds` 0. */
async function post(url: string, seconds: number): Promise<void> {
  const summary = 'Test by longpole doctor: nothing is wrong.'
  const alert = {
    labels: { alertname: TEST_ALERT, severity: 'critical', channel: 'page', family: 'slo', model: TEST_MODEL },
    annotations: {
      summary,
      symptom: summary,
      description: 'Somebody ran `longpole doctor --alerts`.',
      cause: 'not localized: this is a test',
    },
    endsAt: new Date(Date.now() + seconds * 1_000).toISOString(),
  }
  await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([alert]),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  })
}

async function poll<T>(seconds: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const deadline = performance.now() + seconds * 1_000
  for (;;) {
    const found = await look()
    if (found !== undefined || performance.now() > deadline) return found
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
