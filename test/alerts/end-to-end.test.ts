// From requests to a person, on the real hub page, the real Prometheus and the real Alertmanager: a model that hangs, one that refuses
// and one that is well. Windows are a twentieth of their length.

import type { Finding } from '@longpole/model/finding'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alertmanagerConfig, DEFAULT_ALERTMANAGER } from '../../alerts/alertmanager/config.ts'
import { notificationTemplates } from '../../alerts/alertmanager/templates.ts'
import { expectedFiles } from '../../alerts/build.ts'
import { startDeadman } from '../../alerts/deadman.ts'
import { PAGE_FIELDS } from '../../alerts/page.ts'
import { type Server, startAlertmanager, startPrometheus } from '../../alerts/testing/servers.ts'
import { type Sink, startSink } from '../../alerts/testing/sink.ts'
import { checkAlerting } from '../../src/cli/doctor/alerting.ts'
import { findTool, monitoringReleases, NO_RELEASE } from '../tools.ts'
import { compressRules } from './compress.ts'
import { aliveSample, endedRequest, type HubPage, openRequest, startHubPage } from './hub-page.ts'

const prometheus = findTool('prometheus')
const alertmanager = findTool('alertmanager')
const found = monitoringReleases()
const releases = found.length === 0 ? [NO_RELEASE] : found
const FACTOR = 20
/** Requests a second and model, made in batches. */
const RATE = 20
const TICK_MS = 250
const HOSTILE = '<b>m-refuses</b> {{ $value }}"\\'

interface Notification {
  status: string
  groupLabels: Record<string, string>
  alerts: { labels: Record<string, string>; annotations: Record<string, string> }[]
}

function finding(model: string, onsetMs: number): Finding {
  return {
    id: 'f-hang',
    opened: new Date().toISOString(),
    updated: new Date().toISOString(),
    closed: null,
    model,
    verdict: 'localized',
    target: { column: 'ttft', slo_seconds: 2, quantile: null, slo: 'ttft' },
    slice: { cluster: ['c1'], prompt_class: ['1k'], replica: ['r0', 'r1'] },
    aliases: [],
    siblings: [],
    phases: [{ phase: 'engine.queue', share: 0.9, low: 0.8, high: 1 }],
    onset: { at: new Date(onsetMs).toISOString(), low: new Date(onsetMs).toISOString(), high: new Date(onsetMs).toISOString() },
    share_explained: { value: 0.9, low: 0.8, high: 1 },
    excess_seconds: 100,
    bad_requests: 50,
    workload: [],
    mechanism: null,
    changes: [],
    confidence: 'high',
    probability: 0.95,
    looked_at: [],
    not_seen: [],
    next_check: '',
  }
}

describe.skipIf(prometheus.missing ?? alertmanager.missing).each(releases)('from requests to a person, $name', (release) => {
  let hub: HubPage
  let sink: Sink
  let manager: Server
  let server: Server
  let load: NodeJS.Timeout
  let isIll = false
  let illSinceMs = 0

  beforeAll(async () => {
    hub = await startHubPage()
    sink = await startSink()
    let openCount = 0
    load = setInterval(() => {
      const count = (RATE * TICK_MS) / 1_000
      for (let made = 0; made < count; made++) {
        hub.metrics.settled(endedRequest('m-well'))
        if (!isIll) for (const model of ['m-hangs', HOSTILE]) hub.metrics.settled(endedRequest(model))
        else
          hub.metrics.settled(
            endedRequest(HOSTILE, {
              outcome: 'error',
              error_class: 'connection_refused',
              ttft: null,
              tpot: null,
              e2e: 0.01,
              replica: null,
            }),
          )
      }
      if (isIll) openCount += count
      const age = (Date.now() - illSinceMs) / 1_000
      hub.metrics.open(isIll ? Array.from({ length: openCount }, (_, id) => openRequest('m-hangs', id, age - id / RATE)) : [])
      for (const model of ['m-well', 'm-hangs', HOSTILE]) {
        for (const replica of ['r0', 'r1']) hub.metrics.sample(aliveSample(model, replica, !(isIll && model === HOSTILE)))
      }
      hub.metrics.findings(isIll && age > 5 ? [finding('m-hangs', illSinceMs)] : [], BigInt(Date.now()) * 1_000_000n)
    }, TICK_MS)
    manager = await startAlertmanager(
      release.alertmanager,
      alertmanagerConfig({
        ...DEFAULT_ALERTMANAGER,
        receivers: ['webhook'],
        webhookUrl: `${sink.url}/webhook`,
        deadmanUrl: `${sink.url}/watchdog`,
        timing: { groupWait: '500ms', groupInterval: `${300 / FACTOR}s`, repeatInterval: '1h', watchdogInterval: '3s' },
      }),
      notificationTemplates(),
    )
    const files = expectedFiles()
    server = await startPrometheus(release.prometheus, {
      scrape: [{ target: hub.target, interval: '500ms' }],
      evaluationInterval: '500ms',
      rules: {
        'recordings.yaml': compressRules(files.get('recordings.yaml') ?? '', FACTOR),
        'alerts.yaml': compressRules(files.get('alerts.yaml') ?? '', FACTOR),
      },
      alertmanager: manager.url,
    })
  })

  afterAll(async () => {
    clearInterval(load)
    await server?.[Symbol.asyncDispose]()
    await manager?.[Symbol.asyncDispose]()
    await hub?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
  })

  const pageOf = async (model: string): Promise<Notification> => {
    const isPage = ({ path, body }: { path: string; body: string }) => {
      if (path !== '/webhook') return false
      const { groupLabels, alerts } = JSON.parse(body) as Notification
      return groupLabels.model === model && alerts.some(({ labels }) => labels.channel === 'page')
    }
    return JSON.parse((await sink.wait(isPage, 60_000)).body) as Notification
  }

  test('a hang and a refusal become one page each, with phase and slice, and the healthy model none', { timeout: 90_000 }, async () => {
    // Some health first, so that the windows have a past.
    await sink.wait(({ path }) => path === '/watchdog', 60_000)
    illSinceMs = Date.now()
    isIll = true

    const [hang, refusal] = await Promise.all([pageOf('m-hangs'), pageOf(HOSTILE)])
    const [first] = hang.alerts
    expect(first?.labels).toMatchObject({ cluster: 'c1', model: 'm-hangs', severity: 'critical' })
    for (const field of PAGE_FIELDS) expect(first?.annotations[field], field).toBeTruthy()
    expect(first?.annotations.cause).toContain('engine.queue')
    expect(first?.annotations.cause).toMatch(/replica=r0 r1|replica=r0|replica=r1/)
    expect(first?.annotations.dashboard_url).toMatch(
      /^http:\/\/localhost:3000\/d\/longpole-\w+\?from=\d{13}&to=now&var-cluster=c1&var-model=m-hangs/,
    )
    expect(first?.annotations.dashboard_url).toContain('&var-phase=engine.queue&var-prompt_class=1k')
    expect(first?.annotations.exemplars).toMatch(/\/requests\?model=m-hangs&from=\d{10}&slo=\w+&result=bad&sort=worst /)
    expect(JSON.stringify(first?.annotations)).not.toMatch(/<error expanding|<no value>|%!/)

    const [refused] = refusal.alerts
    expect(refused?.labels.model).toBe(HOSTILE)
    expect(refused?.annotations.cause).toContain('not localized')
    expect(JSON.stringify(refused?.annotations)).not.toMatch(/<b>|<error expanding|%!/)

    const pages = sink.received.filter(({ path }) => path === '/webhook').map(({ body }) => JSON.parse(body) as Notification)
    const paged = pages.flatMap(({ groupLabels, alerts }) =>
      alerts.filter(({ labels }) => labels.channel === 'page' && labels.family === 'slo').map(() => groupLabels.model),
    )
    expect(new Set(paged)).toEqual(new Set(['m-hangs', HOSTILE]))
  })

  test('longpole doctor --alerts reports every hop, and which one is broken', { timeout: 90_000 }, async () => {
    const targets = { prometheus: server.url, alertmanager: manager.url, deliverySeconds: 30 }
    const checks = await checkAlerting(targets)
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([])
    expect(checks.map(({ check }) => check)).toEqual([
      'scrape',
      'rules',
      'sending',
      'watchdog',
      'alertmanager',
      'templates',
      'arrival',
      'routing',
      'delivery webhook',
    ])
    expect(sink.received.some(({ path, body }) => path === '/webhook' && body.includes('LLMDoctorTest'))).toBe(true)
    const broken = await checkAlerting({ ...targets, prometheus: 'http://127.0.0.1:9', alertmanager: 'http://127.0.0.1:9' })
    expect(broken.map(({ check, status }) => `${check} ${status}`)).toEqual(['prometheus fail', 'alertmanager fail'])
  })

  test('a dead Prometheus is noticed by the dead-man receiver', { timeout: 90_000 }, async () => {
    // The watchdog that Alertmanager sends to the sink is passed on to a dead-man receiver, as if it were the sink.
    const deadman = await startDeadman({ host: '127.0.0.1', port: 0, withinSeconds: 9, notifyUrl: `${sink.url}/alarm`, log: () => {} })
    let passed = sink.received.length
    const pass = setInterval(() => {
      for (const { path, body } of sink.received.slice(passed)) if (path === '/watchdog') void fetch(deadman.url, { method: 'POST', body })
      passed = sink.received.length
    }, 200)
    try {
      await server.kill()
      const alarm = await sink.wait(({ path }) => path === '/alarm', 60_000)
      expect(JSON.parse(alarm.body)).toMatchObject({ status: 'firing', alertname: 'LLMWatchdogMissing' })
    } finally {
      clearInterval(pass)
      await deadman.close()
    }
  })
})
