// What somebody on call asks, and the links of a page that woke them: a simulated fault, found by the hub's own localizer, looked at in a
// real browser. Clicks are counted from the first page.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiWhyResponse, List } from '@longpole/model/api'
import { ConsolePath } from '@longpole/model/conventions/links'
import type { Finding } from '@longpole/model/finding'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureConsole } from '../../src/cli/console-bundle.ts'
import { findTool } from '../tools.ts'
import { type Stage, startBrowser, startStage } from './pages.ts'

const { missing } = findTool('chromium')
const MINUTES = 24
const ONSET_MINUTE = 14

interface Truth {
  model: string
  replica: string
  onset: number
}

let stage: Stage
let browser: Browser
let truth: Truth
let finding: Finding

beforeAll(async () => {
  if (missing !== null) return
  await ensureConsole(() => {})
  stage = await startStage({ seed: 21, minutes: MINUTES, rate: 14, options: ['--fault', `F17:high@${ONSET_MINUTE}`] })
  browser = await startBrowser()
  truth = await readTruth()
  await postEvents()
  finding = await localize()
  await stage.hub.store.insertFindings([finding])
}, 180_000)

afterAll(async () => {
  await browser?.close()
  await stage?.close()
}, 30_000)

async function readTruth(): Promise<Truth> {
  const { injections } = JSON.parse(readFileSync(join(stage.set, 'truth.json'), 'utf8'))
  const [{ slice, start_unix_ns }] = injections
  const replica = slice.prefill_replica[0] as string
  const sql = 'SELECT toString(any(model)) AS model FROM requests WHERE prefill_replica = {replica:String}'
  const [row] = await stage.hub.store.query<{ model: string }>(sql, { replica })
  return { model: row?.model as string, replica, onset: Number(BigInt(start_unix_ns) / 1_000_000n) / 1e3 }
}

/** The fleet's own changes, and one that is at fault. */
async function postEvents(): Promise<void> {
  const scope = { prefill_replica: [truth.replica] }
  const at = truth.onset - 5
  await post('events', { kind: 'config', title: 'RDMA driver rolled out to one prefill node', scope, at })
}

async function localize(): Promise<Finding> {
  const incident = { from: truth.onset, to: Date.now() / 1e3 }
  const question = {
    model: truth.model,
    target: 'ttft',
    quantile: 0.95,
    incident,
    baseline: [{ from: truth.onset - 800, to: truth.onset - 10 }],
  }
  const { findings } = (await (await post('why', question)).json()) as ApiWhyResponse
  return findings[0] as Finding
}

async function post(path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${stage.url}/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(response.ok, await response.clone().text()).toBe(true)
  return response
}

interface Visit {
  page: Page
  click(selector: string): Promise<void>
  clicks(): number
  text(selector: string): Promise<string>
  close(): Promise<void>
}

async function visit(path = '/'): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: 'UTC' })
  const page = await context.newPage()
  let clicks = 0
  await page.goto(stage.url + path)
  await page.waitForSelector('main h1, main h2')
  return {
    page,
    async click(selector) {
      clicks++
      await page.click(selector)
    },
    clicks: () => clicks,
    async text(selector) {
      await page.waitForSelector(selector)
      await page.waitForSelector('[aria-busy=true]', { state: 'detached' })
      return (await page.textContent(selector)) ?? ''
    },
    close: () => context.close(),
  }
}

const SENTENCE = '.finding .sentence'
const section = (title: string) => `section:has(> h2:text-is("${title}"))`

describe.skipIf(missing !== null)(`on call${missing === null ? '' : ` (${missing})`}`, { timeout: 120_000 }, () => {
  test('which replica? The first page says so, without a click', async () => {
    const { text, clicks, close } = await visit()
    expect(await text(SENTENCE)).toContain(truth.replica)
    expect(clicks()).toBe(0)
    await close()
  })

  test('since when? The first page says so in both zones, and the page behind it with its interval', async () => {
    const { text, click, clicks, close } = await visit()
    const [, shown] = /since .* \((.*?) UTC\)/.exec(await text(SENTENCE)) ?? []
    expect(Math.abs(Date.parse(`${shown}Z`) / 1e3 - truth.onset)).toBeLessThan(60)
    await click(`${SENTENCE} a`)
    expect(await text(section('Since when'))).toMatch(/It began at \d\d:\d\d:\d\d, between \d\d:\d\d:\d\d and \d\d:\d\d:\d\d/)
    expect(clicks()).toBeLessThanOrEqual(2)
    await close()
  })

  test('is it us or the traffic? One click', async () => {
    const { text, click, clicks, close } = await visit()
    await click(`${SENTENCE} a`)
    expect(await text(section('Us or the traffic?'))).toContain('Us: requests of the same size wait longer than before')
    expect(clicks()).toBeLessThanOrEqual(2)
    await close()
  })

  test('who is hit? One click, tenants with their share, and a second one to their requests', async () => {
    const { page, text, click, clicks, close } = await visit()
    await click(`${SENTENCE} a`)
    const table = await text(`${section('Who is hit')} tbody`)
    const { rows } = await breakdown()
    expect(rows.length).toBeGreaterThan(1)
    for (const { value } of rows.slice(0, 3)) expect(table).toContain(value)
    await click(`${section('Who is hit')} tbody th a`)
    await page.waitForURL(/\/requests\?/)
    expect(await text('table tbody')).not.toBe('')
    expect(clicks()).toBe(2)
    await close()
  })

  test('what changed? The first page lists it, and one click further it stands first', async () => {
    const { text, click, clicks, close } = await visit()
    expect(await text(section('Changes'))).toContain('RDMA driver rolled out')
    await click(`${SENTENCE} a`)
    expect(await text(section('Since when'))).toMatch(/What changed.*RDMA driver rolled out/s)
    expect(clicks()).toBeLessThanOrEqual(2)
    await close()
  })

  test('the link of a page opens the finding, and the first page where there is none', async () => {
    const found = await visit(ConsolePath.why(finding.id))
    expect(await found.text('h1')).toContain(truth.replica)
    await found.close()
    const none = await visit(ConsolePath.why(''))
    expect(await none.text('h1')).toBe('No such page')
    await none.close()
    const first = await visit(ConsolePath.now)
    expect(await first.text('h1')).toMatch(/wrong\./)
    await first.close()
  })

  test('every link to exemplars that the rules write opens the requests that it names', async () => {
    const asked = exemplarParameters()
    expect(asked.length).toBeGreaterThanOrEqual(12)
    for (const parameters of asked) {
      const query = `model=${encodeURIComponent(truth.model)}&from=${Math.round(truth.onset - 900)}${parameters}`
      const response = await fetch(`${stage.url}/api/v1/requests?limit=100&${query}`)
      expect(response.status, parameters).toBe(200)
    }
    for (const parameters of ['&slo=ttft&result=bad&sort=worst', '&slo=ttft&result=bad&sort=median', '&slo=ttft&result=good']) {
      const query = `model=${encodeURIComponent(truth.model)}&from=${Math.round(truth.onset - 900)}${parameters}`
      const expected = (await (await fetch(`${stage.url}/api/v1/requests?limit=100&${query}`)).json()) as List<{ record_id: string }>
      const { page, text, close } = await visit(`${ConsolePath.requests}?${query}`)
      expect(await text('form.filters')).toMatch(/from .* UTC\).*slo ttft.*result (bad|good)/)
      const shown = await page.$$eval('table.requests tbody a, [aria-label="Settled requests"] tbody a', (links) =>
        links.map((link) => decodeURIComponent((link as unknown as { pathname: string }).pathname.split('/').at(-1) ?? '')),
      )
      expect(shown, parameters).toEqual(expected.items.map((item) => item.record_id))
      expect(await page.inputValue('input[name=model]')).toBe(truth.model)
      await close()
    }
  })

  test('an address that is broken off says that there is nothing, and goes on', async () => {
    for (const path of ['/requests/%E0%A4%A', '/why/gone', '/requests?from=abc']) {
      const { page, text, close } = await visit(path)
      expect(await text('main'), path).not.toBe('')
      expect(await page.isVisible('nav a')).toBe(true)
      await close()
    }
  })
})

async function breakdown(): Promise<{ rows: { value: string; requests: number }[] }> {
  const query = new URLSearchParams({ dimension: 'tenant', model: finding.model ?? '', from: `${Math.round(truth.onset)}` })
  if (finding.model === null) query.delete('model')
  for (const [name, values] of Object.entries(finding.slice)) for (const value of values) query.append(name, value)
  return (await fetch(`${stage.url}/api/v1/breakdown?${query}`)).json() as Promise<{ rows: { value: string; requests: number }[] }>
}

/** What the committed rules append to the address of the requests page. */
function exemplarParameters(): string[] {
  const rules = readFileSync(new URL('../../alerts/generated/alerts.yaml', import.meta.url), 'utf8')
  return [...new Set([...rules.matchAll(/((?:&slo=[a-z0-9]+)?&result=[a-z]+(?:&sort=[a-z]+)?)/g)].map((match) => match[1] as string))]
}
