// `longpole top`: as a process of its own against a real hub, as a frame of lines at any width, and as a screen with keys.
import { execFile } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import type { ApiOpenRequest, ApiSummary } from '@longpole/model/api'
import type { Finding } from '@longpole/model/finding'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestHub, type TestHub } from '../../../collector/hub/api/test-hub.ts'
import { makeRecords } from '../../../collector/store/conformance-data.ts'
import { clip, justify, printable, widthOf, wrap } from './cells.ts'
import { drawFrame, type FirstPage, shareCells } from './frame.ts'
import { createPaint } from './paint.ts'
import { runScreen } from './screen.ts'
import { composeLines, pressKey, splitKeys, type View } from './view.ts'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))
const ESCAPE = '\u001B'
const plain = createPaint(1)

const finding = {
  id: 'f1',
  opened: '2026-11-24T10:00:00Z',
  updated: '2026-11-24T10:05:00Z',
  closed: null,
  model: 'deepseek-v3',
  verdict: 'localized',
  target: { column: 'ttft', slo_seconds: null, quantile: 0.99, slo: 'ttft' },
  slice: { replica: ['prefill-7', 'prefill-9'] },
  phases: [{ phase: 'engine.prefill', share: 0.83, low: 0.7, high: 0.9 }],
  onset: { at: '2026-11-24T10:00:00Z', low: '2026-11-24T09:59:50Z', high: '2026-11-24T10:00:10Z' },
  share_explained: { value: 0.9, low: 0.8, high: 1 },
  excess_seconds: 412,
  bad_requests: 57,
  workload: [],
  mechanism: { name: 'cache_hit_drop', evidence_for: ['hit ratio fell from 0.62 to 0.11'], evidence_against: [], needs: [] },
  changes: [],
  confidence: 'high',
  probability: 0.94,
  next_check: 'compare the router revision',
} as unknown as Finding

function firstPage(name = 'deepseek-v3', requests = 900): FirstPage {
  const open: Partial<ApiOpenRequest>[] = Array.from({ length: 60 }, (_, index) => ({
    age_seconds: 61 - index,
    phase: 'engine.decode',
    replica: `${name}-${index}`,
    late: index === 0 ? ['ttft'] : [],
  }))
  const summary: ApiSummary = {
    now_unix_ns: '1795514700000000000',
    window_seconds: 300,
    requests,
    open: 60,
    oldest_open_seconds: 61,
    slos: [
      { model: name, cluster: 'a', slo: 'ttft', objective: 0.99, good: 80, bad: 20, attainment: 0.8 },
      { model: name, cluster: 'b', slo: 'e2e', objective: 0.95, good: 99, bad: 1, attainment: 0.99 },
    ],
    findings: [{ ...finding, model: name }],
    models: [
      {
        model: name,
        requests_per_second: 3,
        requests_per_second_before: 3,
        error_ratio: 0.02,
        ttft_p50: 0.2,
        ttft_p99: 1.5,
        tpot_p50: 0.02,
        phases: [
          { phase: 'engine.prefill', mean_seconds: 1 },
          { phase: 'engine.decode', mean_seconds: 3 },
        ],
      },
    ],
  }
  const events = [{ unix_ns: '1795514600000000000', kind: 'deploy', title: name }] as unknown as FirstPage['events']
  return { summary, open: open as ApiOpenRequest[], events }
}

const viewOf = (page: FirstPage | null): View => ({
  hub: 'http://hub:7171',
  page,
  readAtMs: 0,
  trouble: null,
  offset: 0,
  isPaused: false,
  isHelp: false,
})

describe('cells', () => {
  test('no text is wider than asked for, and wrapping loses nothing but spaces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.integer({ min: 2, max: 40 }), (text, cells) => {
        const shown = printable(text)
        expect(widthOf(clip(shown, cells))).toBeLessThanOrEqual(cells)
        expect(widthOf(justify(shown, cells))).toBe(cells)
        const lines = wrap(shown, cells)
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(cells)
        expect(lines.join('').replaceAll(' ', '')).toBe(shown.replaceAll(' ', ''))
      }),
      { seed: 7 },
    )
  })

  test('control characters, escape sequences and turned writing are marks', () => {
    expect(printable(`a${ESCAPE}[2Jb\u0007\r\n\u202Ec\u009B1m`)).toBe('a·[2Jb····c·1m')
    expect(widthOf('日本語a😀é')).toBe(10)
  })

  test('a bar has all its cells', () => {
    expect(shareCells([0.5, 0.3, 0.2], 10)).toEqual([5, 3, 2])
    expect(shareCells([1 / 3, 1 / 3, 1 / 3], 10).reduce((sum, cells) => sum + cells, 0)).toBe(10)
    expect(shareCells([0, 0], 10)).toEqual([0, 0])
  })
})

describe('frame', () => {
  test('says what is wrong, which objectives are missed, where time goes and who waits', () => {
    const { head, body, begins } = drawFrame(firstPage(), 120, plain)
    expect(head[0]).toBe('One thing is wrong.')
    expect(head[1]).toBe('900 requests in the last 5 min, 60 in flight, the oldest for 61 s')
    const text = body.join('\n')
    expect(text.replaceAll(/\n +/g, ' ')).toMatch(
      /TTFT p99 of deepseek-v3 got worse since .* 83 % of it is prefill on replica prefill-7 and prefill-9/,
    )
    expect(text).toContain('next: compare the router revision')
    expect(text).toContain('✕ ttft 80.0 % ✓ e2e 99.0 %')
    expect(text).toContain('mean 4 s: decode 75 %, prefill 25 %')
    expect(text).toMatch(/deepseek-v3-0 +▬+ +61 s {2}Decode late: ttft/)
    expect(text).toContain('and 20 more')
    expect(body[begins.models]).toMatch(/^Model/)
    expect(body[begins.open]).toMatch(/^In flight, 60/)
    expect(body[begins.changes]).toMatch(/^Changes/)
  })

  test('a fleet that is fine says so, and an empty hub says what to do', () => {
    const fine = firstPage()
    fine.summary.findings = []
    expect(drawFrame(fine, 80, plain).head[0]).toBe('Nothing is wrong; traffic is as before.')
    const empty: FirstPage = { summary: { ...fine.summary, requests: 0, open: 0, models: [], slos: [] }, open: [], events: [] }
    const frame = drawFrame(empty, 80, plain)
    expect(frame.head.join(' ')).toContain('longpole doctor')
    expect(frame.body).toEqual([])
  })

  test('without colours there is no escape sequence, whatever models are called', () => {
    const { head, body } = drawFrame(firstPage(`${ESCAPE}[31mred${ESCAPE}]0;title\u0007\n\u202E`), 100, plain)
    expect([...head, ...body].join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  test.each([1, 4, 8, 24])('at %i bits of colour every screen is filled exactly and no line is wider than it', (bits) => {
    const paint = createPaint(bits)
    const names = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.constant('x'.repeat(500)), fc.constant('模型 '.repeat(30)))
    fc.assert(
      fc.property(names, fc.integer({ min: 40, max: 200 }), fc.integer({ min: 4, max: 60 }), fc.nat(100), (name, columns, rows, offset) => {
        const view = { ...viewOf(firstPage(name)), offset }
        const lines = composeLines(view, { columns, rows }, paint).map((line) => stripVTControlCharacters(line))
        expect(lines).toHaveLength(rows)
        for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(columns)
      }),
      { seed: 8, numRuns: 60 },
    )
  })
})

describe('keys', () => {
  const size = { columns: 100, rows: 24 }
  const press = (view: View, ...keys: string[]) => keys.map((key) => pressKey(view, key, size, plain)).at(-1)

  test('scroll within the body, go to sections, pause, show help and end', () => {
    const view = viewOf(firstPage())
    press(view, 'j', 'j', `${ESCAPE}[B`)
    expect(view.offset).toBe(3)
    press(view, 'k', 'k', 'k', 'k', 'k')
    expect(view.offset).toBe(0)
    press(view, 'o')
    expect(composeLines(view, size, plain)[3]).toMatch(/^In flight/)
    press(view, 'G', ' ', ' ')
    expect(composeLines(view, size, plain).at(-3)).toMatch(/deploy/)
    press(view, 'p', '?')
    expect(view).toMatchObject({ isPaused: true, isHelp: true })
    expect(composeLines(view, size, plain).join('\n')).toContain('one screen down')
    expect(press(view, 'r')).toBe('read')
    expect(press(view, 'q')).toBe('end')
    expect(press(view, '\u0003')).toBe('end')
  })

  test('several keys that come at once are told apart', () => {
    expect(splitKeys(`j${ESCAPE}[A${ESCAPE}[6~q`)).toEqual(['j', `${ESCAPE}[A`, `${ESCAPE}[6~`, 'q'])
  })

  test('the screen asks, draws again when it is resized, says when the hub is away, and leaves the terminal as it was', async () => {
    const input = Object.assign(new PassThrough(), { raw: [] as boolean[], setRawMode: (raw: boolean) => input.raw.push(raw) })
    const output = Object.assign(new PassThrough({ encoding: 'utf8' }), { columns: 90, rows: 20 })
    let written = ''
    const waiting: { pattern: string; done: () => void }[] = []
    output.on('data', (text: string) => {
      written += text
      for (const { done } of waiting.filter(({ pattern }) => written.includes(pattern))) done()
    })
    const seen = (pattern: string) => new Promise<void>((done) => (written.includes(pattern) ? done() : waiting.push({ pattern, done })))
    let isAway = false
    const read = async () => {
      if (isAway) throw new Error('no hub answers')
      return firstPage()
    }
    const done = runScreen({ terminal: { input, output }, paint: plain, hub: 'http://hub:7171', intervalMs: 3_600_000, read })
    await seen('One thing is wrong.')
    written = ''
    Object.assign(output, { columns: 60, rows: 12 })
    output.emit('resize')
    await seen('of ')
    expect(written.split('\r\n')).toHaveLength(12)
    written = ''
    isAway = true
    input.write('r')
    await seen('no hub answers; showing')
    input.write('q')
    await done
    expect(input.raw).toEqual([true, false])
    expect(written.endsWith(`${ESCAPE}[?25h${ESCAPE}[?1049l`)).toBe(true)
  })
})

describe('command', () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await startTestHub()
    await hub.store.insertRecords(makeRecords(120))
  })
  afterAll(async () => hub?.close())

  const top = (...words: string[]) =>
    new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
      const environment = { ...process.env, LONGPOLE_HUB_API: hub.address, COLUMNS: '100' }
      execFile(process.execPath, [MAIN, 'top', ...words], { env: environment }, (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr })
      })
    })

  test('into a pipe it prints the page once, without colours', async () => {
    const { status, stdout, stderr } = await top()
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^Nothing is wrong; traffic .*\n[\d.K]+ requests in the last 5 min/)
    expect(stdout).toContain('model-0')
    expect(stdout).not.toContain(ESCAPE)
  })

  test('as JSON it is the answers of the API', async () => {
    const { status, stdout } = await top('--json')
    expect(status).toBe(0)
    const page = JSON.parse(stdout)
    expect(Object.keys(page)).toEqual(['summary', 'open', 'events'])
    expect(page.summary.models.length).toBeGreaterThan(1)
  })

  test('bad input ends with 2 and names the flag, a hub that is away with 1', async () => {
    expect(await top('--interval', 'soon')).toMatchObject({ status: 2, stderr: expect.stringContaining('--interval: expected a number') })
    expect(await top('--once', '--hub', 'http://127.0.0.1:1')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no hub answers'),
    })
  })

  test('--help has examples', async () => {
    const { stdout } = await top('--help')
    expect(stdout).toContain('longpole top --once')
  })
})
