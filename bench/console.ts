// The console in Chromium over a store of many requests: seconds to the first page and to a comparison, memory of the tab, and the longest
// task of the page while requests come in.
//
//   npm run bench:console [-- --rows 1000000 --directory DIR --seconds 60 --rate 40]
//
// A directory that was filled once is used again; 20,000,000 rows take a quarter of an hour to fill and 4 GB.
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Clock, createSystemClock } from '@longpole/model/clock'
import type { Browser, Page } from 'playwright-core'
import { type Hub, startHub } from '../collector/hub/main.ts'
import { createStore } from '../collector/store/create-store.ts'
import { ensureConsole } from '../src/cli/console-bundle.ts'
import { loadConfig } from '../src/config/load.ts'
import { encodeTraces } from '../src/wire/otlp/encode.ts'
import { startBrowser } from '../test/console/pages.ts'
import { BENCH_STORE, storeRequests } from './console/stored-requests.ts'
import { makeRequest } from './ingest-spans.ts'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    directory: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '40' },
  },
})
const LIVE_PAGES = ['/', '/requests', '/explore', '/fleet'] as const
const LOADS = 5
/** Long tasks begin at 50 ms; this is what a hand feels. */
const LONG_TASK_MS = 100
const OBSERVE = `window.tasks = []; new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((entry) => entry.duration)))
  .observe({ type: 'longtask', buffered: true })`

/** The clock goes on where the stored requests end. */
async function clockAfter(data: string): Promise<Clock> {
  const { store: config } = loadConfig({ environment: {}, overrides: { store: { data, ...BENCH_STORE } } })
  const store = await createStore(config)
  const [row] = await store.query<{ rows: number; newest: string }>(
    'SELECT count() AS rows, toString(max(start_unix_ns)) AS newest FROM requests SETTINGS final = 0',
  )
  await store.close()
  console.log(`${row?.rows} stored requests`)
  const system = createSystemClock()
  const shift = BigInt(row?.newest ?? '0') + 1_000_000_000n - system.unixNano()
  return { unixNano: () => system.unixNano() + shift, monotonicMs: system.monotonicMs }
}

async function openPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP: true })
  const page = await context.newPage()
  await page.addInitScript(OBSERVE)
  return page
}

const SETTLED = "document.querySelector('main h1') !== null && document.querySelector('[aria-busy=true]') === null"

/** Milliseconds from the address to the page with its content, by the page's own clock. */
async function timeTo(browser: Browser, address: string, condition = SETTLED): Promise<number> {
  const page = await openPage(browser)
  await page.goto(address, { waitUntil: 'commit' })
  await page.waitForFunction(condition, undefined, { timeout: 60_000, polling: 20 })
  const took = await page.evaluate<number>('performance.now()')
  await page.context().close()
  return took
}

/** Requests of three spans each, evenly over a second; returns what ends them. */
function sendRequests(hub: Hub, clock: Clock, perSecond: number): () => void {
  const timer = setInterval(() => {
    const body = encodeTraces(makeRequest(Number(clock.unixNano() / 1_000_000n)))
    const headers = { 'content-type': 'application/x-protobuf' }
    fetch(`http://127.0.0.1:${hub.ports.otlpHttp}/v1/traces`, { method: 'POST', headers, body }).then(
      (response) => response.arrayBuffer(),
      () => {},
    )
  }, 1_000 / perSecond)
  return () => clearInterval(timer)
}

/** Resident and private memory of the largest renderer, megabytes: what a task manager shows for the tab. */
function tabMemory(): number {
  const renderers = readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')
    } catch {
      return false
    }
  })
  const memory = renderers.map((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
      return [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)].reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0) / 1e3
    } catch {
      return 0
    }
  })
  return Math.max(0, ...memory)
}

async function liveTasks(browser: Browser, base: string, path: string, seconds: number): Promise<string> {
  const page = await openPage(browser)
  await page.goto(base + path)
  await page.waitForTimeout(seconds * 1e3)
  const tasks = await page.evaluate<number[]>('window.tasks')
  const heap = await page.evaluate<number>('performance.memory.usedJSHeapSize / 1e6')
  const memory = tabMemory()
  await page.context().close()
  const long = tasks.filter((duration) => duration > LONG_TASK_MS).length
  return `longest task ${Math.max(0, ...tasks).toFixed(0)} ms, ${long} over ${LONG_TASK_MS} ms; tab ${memory.toFixed(0)} MB, heap ${heap.toFixed(0)} MB`
}

const spread = (values: number[]) => {
  const sorted = [...values].sort((a, b) => a - b)
  return `median ${((sorted[Math.floor(sorted.length / 2)] as number) / 1e3).toFixed(2)} s, worst ${((sorted.at(-1) as number) / 1e3).toFixed(2)} s`
}

async function repeat(times: number, work: (round: number) => Promise<number>): Promise<number[]> {
  const results: number[] = []
  for (let round = 0; round < times; round++) results.push(await work(round))
  return results
}

async function main(): Promise<void> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'longpole-console-bench-'))
  await storeRequests(directory, Number(options.rows), console.log)
  await ensureConsole(console.log)
  const data = join(directory, 'data')
  const clock = await clockAfter(data)
  const listen = { api: '127.0.0.1:0', otlpHttp: '127.0.0.1:0', otlpGrpc: '127.0.0.1:0' }
  const config = loadConfig({ environment: {}, overrides: { store: { data, ...BENCH_STORE }, listen } })
  const hub = await startHub({ config, version: 'bench', clock, log: (level, message) => console.log(level, message) })
  const browser = await startBrowser()
  const base = `http://127.0.0.1:${hub.ports.api}`
  const now = Math.floor(Number(clock.unixNano() / 1_000_000_000n))
  try {
    console.log(`first page: ${spread(await repeat(LOADS, () => timeTo(browser, `${base}/`)))}`)
    for (const path of ['/explore', '/requests', '/fleet', '/alerts']) {
      console.log(`${path}: ${spread(await repeat(3, () => timeTo(browser, base + path)))}`)
    }
    for (const seconds of [600, 1_000, 3_600]) {
      const times = await repeat(3, (round) => {
        const address = `${base}/explore?from=${now - seconds - round}&to=${now - round}`
        return timeTo(browser, address, "[...document.querySelectorAll('p')].some((p) => p.textContent.includes(' before, in '))")
      })
      console.log(`comparison of the last ${seconds} s, with its page: ${spread(times)}`)
      console.log(`  its answer alone: ${spread(await repeat(3, (round) => timeWhy(base, now - 7 - round, seconds)))}`)
    }
    const stop = sendRequests(hub, clock, Number(options.rate))
    for (const path of LIVE_PAGES) {
      console.log(
        `${path} with ${options.rate} requests a second: ${await liveTasks(browser, base, path, Number(options.seconds) / LIVE_PAGES.length)}`,
      )
    }
    stop()
  } finally {
    await browser.close()
    await hub.close()
  }
}

async function timeWhy(base: string, to: number, seconds: number): Promise<number> {
  const start = performance.now()
  const body = JSON.stringify({ target: 'ttft', quantile: 0.95, incident: { from: to - seconds, to } })
  await (await fetch(`${base}/api/v1/why`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).arrayBuffer()
  return performance.now() - start
}

await main()
process.exit(0)
