// The Alertmanager configuration in the real Alertmanager: routes, groups, inhibition, and what arrives at PagerDuty, Slack, a webhook
// and a mailbox, with labels that try to break out.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findTool } from '../../test/tools.ts'
import { GENERATED } from '../build.ts'
import { type Server, startAlertmanager } from '../testing/servers.ts'
import { type Sink, startMailSink, startSink } from '../testing/sink.ts'
import { alertmanagerConfig, DEFAULT_ALERTMANAGER, unknownAlertNames } from './config.ts'
import { notificationTemplates } from './templates.ts'

const amtool = findTool('amtool')
const alertmanager = findTool('alertmanager')
const FILE = join(GENERATED, 'alertmanager/alertmanager.yaml')

test('routing speaks only of alerts that exist', () => {
  expect(unknownAlertNames()).toEqual([])
})

describe.skipIf(amtool.missing)('amtool', () => {
  test('accepts the configuration with its templates', () => {
    expect(execFileSync(amtool.path ?? '', ['check-config', FILE], { encoding: 'utf8' })).toContain('SUCCESS')
  })

  test.each([
    ['page', 'alertname=LLMSLOCliff channel=page severity=critical cluster=c model=m'],
    ['page', 'alertname=LLMNoHealthyEngines channel=page severity=critical cluster=c model=m'],
    ['page', 'alertname=LLMTelemetryAbsent channel=page severity=critical'],
    ['ticket', 'alertname=LLMKVPressure channel=ticket severity=warning cluster=c model=m'],
    ['ticket', 'alertname=LLMClockSkew channel=none severity=info'],
    ['deadman', 'alertname=Watchdog channel=none severity=none'],
    ['nobody', 'alertname=InfoInhibitor channel=none severity=none'],
  ])('%s gets %s', (receiver, labels) => {
    const args = ['config', 'routes', 'test', `--config.file=${FILE}`, `--verify.receivers=${receiver}`, ...labels.split(' ')]
    expect(execFileSync(amtool.path ?? '', args, { encoding: 'utf8' }).trim()).toContain(receiver)
  })
})

const HOSTILE = `<script>alert(1)</script>\r\nBcc: evil@example.com {{ .ExternalURL }} "quoted" \`tick\` 🔥\u202egnp.exe ${'x'.repeat(10_000)}`

interface PostedAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
}

function posted(alertname: string, labels: Record<string, string> = {}, annotations: Record<string, string> = {}): PostedAlert {
  return {
    labels: { alertname, severity: 'critical', channel: 'page', family: 'slo', cluster: 'c1', model: 'm1', ...labels },
    annotations: { summary: 'At least half of all requests miss their objective.', description: 'text', ...annotations },
  }
}

describe.skipIf(alertmanager.missing)('in the real Alertmanager', () => {
  let sink: Sink
  let mail: Awaited<ReturnType<typeof startMailSink>>
  let server: Server
  let secrets: string

  beforeAll(async () => {
    sink = await startSink(202)
    mail = await startMailSink()
    secrets = mkdtempSync(join(tmpdir(), 'longpole-secrets-'))
    writeFileSync(join(secrets, 'pagerduty_routing_key'), 'key')
    const config = alertmanagerConfig({
      ...DEFAULT_ALERTMANAGER,
      deadmanUrl: `${sink.url}/watchdog`,
      webhookUrl: `${sink.url}/webhook`,
      smtpSmarthost: mail.address,
      secretsFolder: secrets,
      endpoints: { pagerduty: `${sink.url}/pagerduty`, slack: `${sink.url}/slack` },
      timing: { groupWait: '300ms', groupInterval: '1s', repeatInterval: '1h', watchdogInterval: '1s' },
    })
    server = await startAlertmanager(alertmanager.path ?? '', config, notificationTemplates())
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
    await mail?.[Symbol.asyncDispose]()
    if (secrets !== undefined) rmSync(secrets, { recursive: true, force: true })
  })

  const post = async (alerts: PostedAlert[]) => {
    const response = await fetch(`${server.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts),
    })
    expect(response.status, await response.text()).toBe(200)
  }

  test('hostile label values arrive as data and change no structure, at all four', async () => {
    const card = {
      symptom: 'm-hostile: ttft objective 99 %, 80 % of requests are bad',
      cause: 'engine.queue in replica=r3; 78 % of the excess, confidence high',
    }
    await post([
      posted(
        'LLMSLOCliff',
        { model: HOSTILE, slo: 'ttft' },
        { ...card, console_url: 'http://console/why/f1', dashboard_url: 'http://grafana/d/x' },
      ),
    ])
    const pagerduty = JSON.parse((await sink.wait(({ path }) => path === '/pagerduty', 10_000)).body)
    expect(pagerduty.payload.summary).toBe(
      'm-hostile: ttft objective 99 %, 80 % of requests are bad: engine.queue in replica=r3; 78 % of the excess, confidence high',
    )
    expect(pagerduty.payload.severity).toBe('critical')
    expect(pagerduty.dedup_key.length).toBeLessThanOrEqual(255)
    expect(JSON.stringify(pagerduty)).not.toContain('script')
    expect(pagerduty.payload.custom_details.cause).toContain('engine.queue')
    expect(pagerduty.payload.custom_details.runner_up).toContain('n/a')
    expect(pagerduty.links.map((link: { href: string }) => link.href)).toContain('http://console/why/f1')

    const slack = JSON.parse((await sink.wait(({ path }) => path === '/slack', 10_000)).body)
    expect(JSON.stringify(slack)).not.toMatch(/<script|\\u003cscript/)
    expect(slack.attachments[0].title).toContain('m-hostile')

    const webhook = JSON.parse((await sink.wait(({ path }) => path === '/webhook', 10_000)).body)
    expect(webhook.alerts[0].labels.model).toBe(HOSTILE)
    expect(webhook.version).toBe('4')

    const deadline = performance.now() + 10_000
    while (mail.messages.length === 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50))
    const message = mail.messages[0] ?? ''
    expect(message).toContain('Subject: ')
    expect(message).not.toMatch(/^Bcc:/m)
    expect(message).not.toContain('<script')
  })

  test('one incident, two hundred replicas, six objectives: one page group and no ticket', async () => {
    const slos = ['ttft', 'tpot', 'stall', 'e2e', 'goodput', 'availability']
    const pages = slos.flatMap((slo) =>
      ['LLMSLOCliff', 'LLMSLOFastBurn', 'LLMSLOSlowBurn'].map((name) => posted(name, { slo, model: 'm-wide' }, { symptom: 'wide' })),
    )
    const ticket = { severity: 'warning', channel: 'ticket', family: 'cause', model: 'm-wide' }
    const replicas = Array.from({ length: 200 }, (_, index) => posted('LLMEngineDown', { ...ticket, replica: `r${index}` }))
    await post([
      ...pages,
      posted('LLMNoHealthyEngines', { model: 'm-wide' }, { symptom: 'wide' }),
      ...replicas,
      posted('LLMKVPressure', ticket),
    ])
    await sink.wait(({ path, body }) => path === '/webhook' && body.includes('m-wide'), 10_000)
    const groups = (await (await fetch(`${server.url}/api/v2/alerts/groups`)).json()) as {
      receiver: { name: string }
      labels: Record<string, string>
      alerts: { status: { state: string } }[]
    }[]
    const wide = groups.filter(({ labels }) => labels.model === 'm-wide')
    const speaking = wide.filter(({ alerts }) => alerts.some(({ status }) => status.state === 'active'))
    expect(speaking.map(({ receiver }) => receiver.name)).toEqual(['page'])
    expect(speaking[0]?.alerts).toHaveLength(19)
    expect(sink.received.filter(({ path, body }) => path === '/webhook' && body.includes('m-wide'))).toHaveLength(1)
  })

  test('a page of one model mutes no ticket of another, and information alone is muted', async () => {
    await post([
      posted('LLMKVPressure', { severity: 'warning', channel: 'ticket', family: 'cause', model: 'm-other' }),
      posted('LLMErrorBudgetExhausted', { severity: 'info', channel: 'none', model: 'm-info' }),
      posted('InfoInhibitor', { severity: 'none', channel: 'none', family: 'watchdog', model: 'm-info' }),
    ])
    const state = async (model: string) => {
      const query = new URLSearchParams({ filter: `model="${model}"` })
      const alerts = (await (await fetch(`${server.url}/api/v2/alerts?${query}`)).json()) as {
        labels: Record<string, string>
        status: { state: string }
      }[]
      return Object.fromEntries(alerts.map(({ labels, status }) => [labels.alertname, status.state]))
    }
    await expect.poll(() => state('m-info'), { timeout: 5_000 }).toMatchObject({ LLMErrorBudgetExhausted: 'suppressed' })
    expect(await state('m-other')).toEqual({ LLMKVPressure: 'active' })
  })

  test('an outage of a model that nobody knows mutes nothing that watches the path itself', async () => {
    const nobody = { cluster: '', model: '' }
    await post([posted('LLMNoHealthyEngines', nobody), posted('LLMTelemetryAbsent', { ...nobody, family: 'self', component: 'hub' })])
    const alerts = async () =>
      (await (await fetch(`${server.url}/api/v2/alerts`)).json()) as { labels: Record<string, string>; status: { state: string } }[]
    const state = async () => (await alerts()).find(({ labels }) => labels.alertname === 'LLMTelemetryAbsent')?.status.state
    await expect.poll(state, { timeout: 10_000 }).toBe('active')
  })

  test('the watchdog is sent again and again', async () => {
    await post([posted('Watchdog', { severity: 'none', channel: 'none', family: 'watchdog' })])
    const first = await sink.wait(({ path }) => path === '/watchdog', 10_000)
    await sink.wait(({ path, atMs }) => path === '/watchdog' && atMs > first.atMs, 10_000)
  })
})
