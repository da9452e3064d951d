// Every page of the console in a real browser against a real hub: no console error, no serious accessibility finding, nothing executed from
// hostile names, nothing wider than a phone, and a page that recovers by itself when the hub comes back.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { emptyColumns } from '@longpole/model/request-columns'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureConsole } from '../../src/cli/console-bundle.ts'
import { findTool } from '../tools.ts'
import { exampleFinding, type Stage, startBrowser, startStage, startStageHub } from './pages.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const { missing } = findTool('chromium')
/** Runs in the page: what axe holds for serious or critical. */
const SERIOUS = `axe.run().then(({ violations }) => violations
  .filter((entry) => entry.impact === 'serious' || entry.impact === 'critical')
  .map((entry) => entry.id + ': ' + entry.nodes[0].html))`
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
const HOSTILE = [
  '<script>window.hacked=1</script>',
  '"><img src=x onerror="window.hacked=1">',
  'javascript:window.hacked=1',
  "';window.hacked=1;//",
  '\u202Ertl\u0000\r\nX: y',
  '{{constructor}}',
  `${'long-'.repeat(400)}end`,
  '😀'.repeat(50),
  '$' + '{window.hacked=1}',
  '</style><svg onload=window.hacked=1>',
]

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

  test('hostile names are shown as text and execute nothing', async () => {
    const now = BigInt(Date.now()) * 1_000_000n
    const hostile = HOSTILE.map((name, index): RequestRecord => {
      const id = `${index}`.padStart(32, 'a')
      return {
        ...emptyColumns(),
        trace_id: id,
        record_id: `${id}-h`,
        received_unix_ns: now,
        start_unix_ns: now - 1_000_000_000n,
        vantage: 'client',
        model: name,
        replica: name,
        tenant: name,
        route: name,
        region: name,
        error_class: name,
        outcome: 'error',
        e2e: 1,
        phases: [{ phase: 'unattributed', seconds: 1, source: name, exactness: 'residual' }],
        overlays: [],
        hops: [],
        attempt_list: [],
      } as RequestRecord
    })
    await stage.hub.store.insertRecords(hostile)
    for (const path of [
      '/',
      '/requests',
      '/explore?by=route',
      '/fleet',
      `/requests/${'0'.padStart(32, 'a')}-h`,
      `/explore?by=${encodeURIComponent(HOSTILE[0] as string)}`,
    ]) {
      const { page, close } = await look(path, { width: 390 })
      expect(await page.evaluate('window.hacked'), path).toBeUndefined()
      expect(await page.evaluate(OVERFLOW), path).toBeLessThanOrEqual(0)
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
