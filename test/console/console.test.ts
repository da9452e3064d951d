// Every page of the console in a real browser against a real hub: no console error, no serious accessibility finding, nothing executed from
// hostile names, nothing wider than a phone, and a page that recovers by itself when the hub comes back.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Span } from '@longpole/model/span'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Hub } from '../../collector/hub/main.ts'
import { ensureConsole } from '../../src/cli/console-bundle.ts'
import { encodeTraces } from '../../src/wire/otlp/encode.ts'
import { findTool } from '../tools.ts'
import { hostileNames, hostileSpan } from './hostile.ts'
import { exampleFinding, type Stage, startBrowser, startStage, startStageHub } from './pages.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const { missing } = findTool('chromium')
/** Runs in the page: what axe holds for serious or critical. */
const SERIOUS = `axe.run().then(({ violations }) => violations
  .filter((entry) => entry.impact === 'serious' || entry.impact === 'critical')
  .map((entry) => entry.id + ': ' + entry.nodes[0].html))`
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
const HOSTILE = hostileNames(200, 8)

let stage: Stage
let browser: Browser
let record: string

beforeAll(async () => {
  if (missing !== null) return
  await ensureConsole(() => {})
  stage = await startStage()
  browser = await startBrowser()
  const { items } = await stage.hub.store.requests({ limit: 1, outcome: ['ok'] })
  const first = items[0] as RequestRecord
  record = first.record_id
  await stage.hub.store.insertFindings([exampleFinding('example', first.replica ?? 'r', first.model ?? 'm')])
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await stage?.close()
}, 30_000)

interface Look {
  page: Page
  errors: string[]
  close(): Promise<void>
}

async function look(path: string, { width = 1280, dark = false, base = stage.url } = {}): Promise<Look> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: dark ? 'dark' : 'light', bypassCSP: true })
  const page = await context.newPage()
  const errors: string[] = []
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(base + path, { waitUntil: 'load' })
  await page.waitForSelector('main h1, main h2')
  await page.waitForFunction("document.querySelector('[aria-busy=true]') === null")
  return { page, errors, close: () => context.close() }
}

async function sendSpans(hub: Hub, spans: Span[]): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${hub.ports.otlpHttp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: encodeTraces(spans),
  })
  expect(response.status).toBe(200)
}

const paths = () => [
  '/',
  '/explore',
  '/requests',
  `/requests/${encodeURIComponent(record)}`,
  '/fleet',
  '/alerts',
  '/why/example',
  '/nowhere',
]

describe.skipIf(missing !== null)(`console${missing === null ? '' : ` (${missing})`}`, { timeout: 120_000 }, () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'page %i: no error, no serious accessibility finding, no sideways scrolling on a phone',
    async (index) => {
      const path = paths()[index] as string
      for (const [width, dark] of [
        [1280, false],
        [390, true],
      ] as const) {
        const { page, errors, close } = await look(path, { width, dark })
        expect(errors, path).toEqual([])
        await page.evaluate(AXE)
        const findings = await page.evaluate<string[]>(SERIOUS)
        expect(findings, `${path} at ${width}`).toEqual([])
        const overflow = await page.evaluate(OVERFLOW)
        expect(overflow, `${path} at ${width}`).toBeLessThanOrEqual(0)
        await close()
      }
    },
  )

  test('the first page opens on the answer, and the answer leads to why in one click', async () => {
    const { page, close } = await look('/')
    expect(await page.textContent('main h1')).toMatch(/^(One thing is|\d+ things are) wrong\.$/)
    const sentence = (await page.textContent('.finding:has(a[href$="/why/example"]) .sentence')) as string
    expect(sentence).toMatch(/TTFT p99 of .* got worse since .* 83 % of it is prefill on replica .*: cache hit drop \(hit ratio fell/)
    await page.click('a[href$="/why/example"]')
    await page.waitForSelector('.bridge')
    expect(new URL(page.url()).pathname).toBe('/why/example')
    await close()
  })

  test('200 hostile names that came in by OTLP are shown as text, execute nothing and widen nothing', async () => {
    await sendSpans(stage.hub, HOSTILE.map(hostileSpan))
    const stored = "SELECT count() AS n FROM requests WHERE startsWith(trace_id, 'aaaaaaaa')"
    await vi.waitUntil(async () => (await stage.hub.store.query<{ n: number }>(stored))[0]?.n === HOSTILE.length, { timeout: 60_000 })
    const [request] = await stage.hub.store.query<{ id: string }>(
      "SELECT record_id AS id FROM requests WHERE startsWith(trace_id, 'aaaaaaaa') ORDER BY trace_id LIMIT 1",
    )
    const first = encodeURIComponent(HOSTILE[0] as string)
    const names = ['model', 'tenant', 'route', 'replica'].map((by) => `/explore?by=${by}&range=900&outcome=error`)
    const one = [`/requests/${request?.id}`, `/explore?by=${first}&model=${first}`, `/requests?model=${first}`, `/why/${first}`]
    for (const path of ['/', '/requests', '/requests?outcome=error', '/fleet', '/alerts', ...names, ...one]) {
      const { page, errors, close } = await look(path, { width: 390 })
      for (const width of [390, 1280]) {
        await page.setViewportSize({ width, height: 900 })
        expect(await page.evaluate(OVERFLOW), `${path} at ${width}`).toBeLessThanOrEqual(0)
      }
      expect(await page.evaluate('window.hacked'), path).toBeUndefined()
      expect(
        errors.filter((error) => !error.includes('404')),
        path,
      ).toEqual([])
      expect(await page.isVisible('nav a'), path).toBe(true)
      await close()
    }
  })

  test('keys go to pages, ? lists them, and the theme is remembered', async () => {
    const { page, close } = await look('/')
    await page.keyboard.press('f')
    await page.waitForFunction("location.pathname === '/fleet'")
    await page.keyboard.press('?')
    await page.waitForSelector('dialog[open]')
    await page.keyboard.press('Escape')
    await page.click('button[aria-label^="Theme"]')
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
    await close()
  })

  test('a slow hub is said so, and the page is live again with its first quick answer', async () => {
    const { page, close } = await look('/')
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/api/v1/**', async (route) => {
      await held
      await route.continue().catch(() => {})
    })
    await page.waitForSelector('.connection.slow', { timeout: 30_000 })
    expect(await page.textContent('.connection')).toMatch(/the hub is slow, showing \d\d:\d\d:\d\d/)
    expect(await page.textContent('main h1')).not.toBe('')
    release()
    await page.waitForSelector('.connection:not(.slow):not(.bad)', { timeout: 30_000 })
    await close()
  })

  test('an empty hub says what to do next on every page, and shows the first request by itself', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'longpole-empty-'))
    const hub = await startStageHub(directory)
    const base = `http://127.0.0.1:${hub.ports.api}`
    try {
      for (const path of ['/explore', '/requests', '/fleet', '/alerts']) {
        const { page, errors, close } = await look(path, { base })
        expect(errors, path).toEqual([])
        expect(await page.textContent('main'), path).toMatch(/No |nothing|Nothing/)
        await close()
      }
      const { page, close } = await look('/', { base })
      expect(await page.textContent('main')).toContain('No request has arrived yet')
      await sendSpans(hub, [hostileSpan('first-model', 0)])
      await page.waitForSelector('table >> text=first-model', { timeout: 60_000 })
      await close()
    } finally {
      await hub.close()
      rmSync(directory, { recursive: true, force: true })
    }
  })

  test('a hub that goes away is said so, and the page recovers when it is back', async () => {
    const api = `127.0.0.1:${stage.hub.ports.api}`
    const { page, close } = await look('/')
    await stage.hub.close()
    await page.waitForSelector('.connection.bad', { timeout: 30_000 })
    expect(await page.textContent('.connection')).toContain('does not answer')
    stage.hub = await startStageHub(stage.data, api)
    await page.waitForSelector('.connection:not(.bad)', { timeout: 30_000 })
    await close()
  })
})
