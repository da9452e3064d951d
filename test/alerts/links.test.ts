// Every link of a page, as Prometheus expanded it, opened in a real browser: the finding on the hub's console, the bad requests of the slice,
// the silence of a real Alertmanager (Debian's has no pages of its own), and a board that exists with variables that it has.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HUB_EXPORTED_METRICS } from '@longpole/model/conventions/metrics'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alertmanagerConfig, DEFAULT_ALERTMANAGER } from '../../alerts/alertmanager/config.ts'
import { notificationTemplates } from '../../alerts/alertmanager/templates.ts'
import { alertContext } from '../../alerts/generate.ts'
import { LLMSLOCliff } from '../../alerts/LLMSLOCliff/rule.ts'
import { PAGE_FIELDS } from '../../alerts/page.ts'
import { render } from '../../alerts/rule.ts'
import { type Server, startAlertmanager } from '../../alerts/testing/servers.ts'
import { History, type Series } from '../../bench/alerts/history.ts'
import { pagesAt } from '../../bench/alerts/page-at.ts'
import { createFindingMetrics } from '../../collector/exporters/prometheus/finding-metrics.ts'
import { createRegistry } from '../../collector/exporters/prometheus/registry.ts'
import type { Hub } from '../../collector/hub/main.ts'
import { ensureConsole } from '../../src/cli/console-bundle.ts'
import { configSchema } from '../../src/config/schema.ts'
import { exampleFinding, startBrowser, startStageHub } from '../console/pages.ts'
import { findTool } from '../tools.ts'
import { endedRequest } from './hub-page.ts'

const tools = ['prometheus', 'promtool', 'alertmanager', 'chromium'] as const
const missing = tools.map((tool) => findTool(tool).missing).find((reason) => reason !== null)
const MODEL = 'm & "chat" <8b>/{{ x }} 100%'
const REPLICA = 'r1'
const ROOT = new URL('../../', import.meta.url).pathname

interface Board {
  uid: string
  templating: { list: { name: string }[] }
}

const boards = readdirSync(join(ROOT, 'dashboards/generated'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(ROOT, 'dashboards/generated', name), 'utf8')) as Board)

describe.skipIf(missing)('the links of a page', { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'longpole-links-'))
  const finding = exampleFinding('finding-1', REPLICA, MODEL)
  const opened: string[] = []
  let hub: Hub
  let manager: Server
  let grafana: HttpServer
  let browser: Browser
  let page: Record<string, string> = {}
  let movedSeconds = 0

  beforeAll(async () => {
    await ensureConsole(() => {})
    hub = await startStageHub(join(directory, 'data'))
    await hub.store.insertFindings([finding])
    const at = BigInt(Date.now()) * 1_000_000n
    const records = Array.from({ length: 40 }, (_, index) => ({
      ...endedRequest(MODEL, { ttft: index % 2 === 0 ? 9 : 0.2, replica: `r${index % 2}` }),
      start_unix_ns: at - BigInt(index + 10) * 1_000_000_000n,
      received_unix_ns: at,
      version: 1,
      weight: 1,
    }))
    await hub.store.insertRecords(records)
    grafana = createServer((request, response) => {
      opened.push(request.url ?? '')
      response.end('<title>board</title>')
    })
    await new Promise<void>((resolve) => grafana.listen(0, '127.0.0.1', resolve))
    const options = { ...DEFAULT_ALERTMANAGER, receivers: ['webhook' as const] }
    manager = await startAlertmanager(findTool('alertmanager').path ?? '', alertmanagerConfig(options), notificationTemplates())
    const alerts = {
      grafanaBaseUrl: `http://127.0.0.1:${(grafana.address() as AddressInfo).port}`,
      consoleBaseUrl: `http://127.0.0.1:${hub.ports.api}`,
      alertmanagerBaseUrl: manager.url,
    }
    const alert = render(LLMSLOCliff, alertContext(configSchema.parse({ alerts }))).find(({ labels }) => labels.slo === 'ttft')
    if (alert === undefined) throw new Error('the cliff of ttft is gone')
    await using history = new History()
    const now = Math.floor(Date.now() / 15_000) * 15
    await history.add(await findingSeries(now))
    const found = await pagesAt(history, now, [{ alert, labels: { cluster: 'c1', model: MODEL, slo: 'ttft' }, value: 0.6 }])
    page = found.pages[0] ?? {}
    movedSeconds = found.movedSeconds
    browser = await startBrowser()
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await manager?.[Symbol.asyncDispose]()
    grafana?.close()
    await hub?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** The finding as the hub exports it, for the last minutes. */
  async function findingSeries(now: number): Promise<Series[]> {
    const registry = createRegistry(HUB_EXPORTED_METRICS, { version: 'test', component: 'hub' })
    createFindingMetrics(registry).findings([{ ...finding, target: { ...finding.target, slo: 'ttft' } }], BigInt(now) * 1_000_000_000n)
    const lines = (await registry.render(false)).split('\n').filter((line) => /^longpole_(finding|localizer_last)/.test(line))
    return lines.map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, JSON.parse(`"${text}"`)])
      return { name, labels: Object.fromEntries(pairs), points: [-30, -15, 0].map((past) => [now + past, Number(value)] as const) }
    })
  }

  async function open(url: string, ready: string): Promise<{ text: string; inputs: string[] }> {
    const context = await browser.newContext({ bypassCSP: true })
    const tab = await context.newPage()
    const answer = await tab.goto(url, { waitUntil: 'load' })
    expect(answer?.status(), url).toBe(200)
    await tab.waitForFunction(`document.body.innerText.includes(${JSON.stringify(ready)})`, undefined, { timeout: 20_000 })
    const text = await tab.evaluate<string>('document.body.innerText')
    const inputs = await tab.evaluate<string[]>('[...document.querySelectorAll("input, textarea")].map((input) => input.value)')
    await context.close()
    return { text, inputs }
  }

  test('the card reads as a person would want it at three in the morning', () => {
    const masked = (text = '') =>
      text
        .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC/g, 'INSTANT')
        .replaceAll(/from=\d+/g, 'from=INSTANT')
        .replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')
        .replaceAll(/looked -?\d+ s ago/g, 'looked SOME s ago')
    expect(PAGE_FIELDS.map((field) => `${field}: ${masked(page[field])}`).join('\n')).toMatchInlineSnapshot(`
      "symptom: m "chat" 8b /{{ x }} 100% in c1: ttft objective 99 %, 60% of requests are bad
      cause: engine.prefill in replica=r1, cache_hit_drop; 90% of the excess, confidence high
      runner_up: n/a: no second finding
      blast_radius: an unknown number of bad requests a minute, unknown of all; 0 of an unknown number of replicas return errors; tenants n/a: no label of metrics, see console_url
      since: INSTANT
      changed: no event within 15 minutes of the onset
      slo_status: objective 99 %, last hour unknown; error budget left unknown: less than an hour of history, gone in unknown at this rate
      dashboard_url: http://HOST/d/longpole-replica?from=INSTANT&to=now&var-cluster=c1&var-model=m%20%26%20%22chat%22%20%3C8b%3E%2F%7B%7B%20x%20%7D%7D%20100%25&var-phase=engine.prefill&var-replica=r1
      exemplars: worst: http://HOST/requests?model=m%20%26%20%22chat%22%20%3C8b%3E%2F%7B%7B%20x%20%7D%7D%20100%25&from=INSTANT&slo=ttft&result=bad&sort=worst · median bad: http://HOST/requests?model=m%20%26%20%22chat%22%20%3C8b%3E%2F%7B%7B%20x%20%7D%7D%20100%25&from=INSTANT&slo=ttft&result=bad&sort=median · good peers: http://HOST/requests?model=m%20%26%20%22chat%22%20%3C8b%3E%2F%7B%7B%20x%20%7D%7D%20100%25&from=INSTANT&slo=ttft&result=good
      action: Prefill is slow: check cache hit ratio and prompt lengths; restore affinity routing or add prefill replicas (scale back to undo). Then follow LLMSLOCliff/runbook.md.
      silence_url: http://HOST/#/silences/new?filter=%7Bcluster%3D%22c1%22%2Cmodel%3D%22m%20%26%20%5C%22chat%5C%22%20%3C8b%3E%2F%7B%7B%20x%20%7D%7D%20100%25%22%7D
      data_quality: an unknown number of requests in 30 minutes, an unknown share of spans dropped, largest clock offset unknown (corrected), 0 sidecars silent"
    `)
  })

  test('why: the finding that the cause names', async () => {
    expect(page.cause).toContain(`engine.prefill in replica=${REPLICA}`)
    expect(page.console_url).toMatch(/\/why\/finding-1$/)
    const { text } = await open(page.console_url ?? '', 'prefill')
    expect(text).toContain(REPLICA)
  })

  test('examples: the bad requests of that model, the good ones apart', async () => {
    const [worst, median, good] = [...(page.exemplars ?? '').matchAll(/https?:\S+/g)].map(([url]) => url)
    for (const url of [worst, median, good]) {
      const { text, inputs } = await open(url ?? '', 'Requests')
      expect(inputs, url).toContain(MODEL)
      expect(text).not.toContain('expected')
    }
    const items = async (url = '') => {
      const answer = await fetch(url.replace('/requests?', '/api/v1/requests?'))
      expect(answer.status).toBe(200)
      return ((await answer.json()) as { items: { ttft: number }[] }).items
    }
    expect((await items(worst)).map(({ ttft }) => ttft)).toEqual(Array.from({ length: 20 }, () => 9))
    expect((await items(good)).map(({ ttft }) => ttft)).toEqual(Array.from({ length: 20 }, () => 0.2))
  })

  test('the board exists, has the variables that are set, and begins a quarter of an hour before the onset', async () => {
    await open(page.dashboard_url ?? '', '')
    const url = new URL(opened.find((path) => path.startsWith('/d/')) ?? '/', 'http://grafana')
    const board = boards.find(({ uid }) => `/d/${uid}` === url.pathname)
    expect(board?.uid).toBe('longpole-replica')
    const set = [...url.searchParams].filter(([name]) => name.startsWith('var-'))
    expect(Object.fromEntries(set)).toEqual({
      'var-cluster': 'c1',
      'var-model': MODEL,
      'var-phase': 'engine.prefill',
      'var-replica': REPLICA,
    })
    const variables = board?.templating.list.map(({ name }) => `var-${name}`) ?? []
    expect(set.map(([name]) => name).filter((name) => name !== 'var-phase' && !variables.includes(name))).toEqual([])
    const onset = Date.parse(finding.onset?.at ?? '') + movedSeconds * 1_000
    expect(Math.abs(Number(url.searchParams.get('from')) - (onset - 900_000))).toBeLessThan(2_000)
    expect(url.searchParams.get('to')).toBe('now')
  })

  test('the silence is for that model and no other', async () => {
    await open(page.silence_url ?? '', '')
    const [, filter = ''] = /#\/silences\/new\?filter=(.*)$/.exec(page.silence_url ?? '') ?? []
    const matchers = [...decodeURIComponent(filter).matchAll(/\w+="(?:[^"\\]|\\.)*"/g)].map(([matcher]) => matcher)
    expect(`{${matchers.join(',')}}`).toBe(decodeURIComponent(filter))
    const alerts = [MODEL, 'another'].map((model) => ({ labels: { alertname: 'LLMSLOCliff', cluster: 'c1', model } }))
    const headers = { 'content-type': 'application/json' }
    await fetch(`${manager.url}/api/v2/alerts`, { method: 'POST', headers, body: JSON.stringify(alerts) })
    const query = new URLSearchParams(matchers.map((matcher): [string, string] => ['filter', matcher]))
    const matching = async () => {
      const found = (await (await fetch(`${manager.url}/api/v2/alerts?${query}`)).json()) as { labels: { model: string } }[]
      return found.map(({ labels }) => labels.model)
    }
    await expect.poll(matching, { timeout: 10_000 }).toEqual([MODEL])
  })

  test('the runbook is in the repository', () => {
    expect(page.runbook_url).toMatch(/\/alerts\/LLMSLOCliff\/runbook\.md$/)
    expect(existsSync(join(ROOT, 'alerts/LLMSLOCliff/runbook.md'))).toBe(true)
  })
})
