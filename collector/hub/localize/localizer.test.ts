// The hub's localizer over a real embedded store and a real worker: finds a fault, keeps its life, answers why, stays silent.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createManualClock } from '@longpole/model/clock'
import type { Finding } from '@longpole/model/finding'
import { emptyColumns } from '@longpole/model/request-columns'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Objective } from '@longpole/model/slo'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStore } from '../../store/create-store.ts'
import type { Store } from '../../store/store.ts'
import { createHubLocalizer, type HubLocalizer } from './localizer.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-localizer-'))
const START = 1_700_000_000
const FAULT = START + 3_000
const OBJECTIVES: Objective[] = [{ slo: 'ttft', model: '*', objective: 0.99 }]

let store: Store
let localizer: HubLocalizer
let shown: readonly Finding[] = []
const trouble: string[] = []
const clock = createManualClock(BigInt(START) * 1_000_000_000n)

beforeAll(async () => {
  store = await createStore(
    {
      data: directory,
      url: null,
      database: 'longpole_test',
      user: 'default',
      password: '',
      retentionDays: 36_500,
      retentionBytes: 1e9,
      memoryBytes: 1e9,
      querySeconds: 20,
      fsync: false,
    },
    { clock },
  )
  await store.insertRecords(history())
  localizer = createHubLocalizer({
    store,
    objectives: OBJECTIVES,
    clock,
    streaming: () => [],
    onFindings: (findings) => {
      shown = findings
    },
    onTrouble: (message) => trouble.push(message),
  })
})
afterAll(async () => {
  await localizer.close()
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Three replicas, two tenants; from FAULT on one replica takes twice as long. */
function history(): RequestRecord[] {
  let state = 7
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state / 4_294_967_296
  }
  return Array.from({ length: 6_500 }, (_, index) => {
    const at = START + index / 2
    const replica = `replica-${Math.floor(random() * 3)}`
    const prefill = (0.2 + 0.1 * random()) * (replica === 'replica-1' && at >= FAULT ? 2 : 1)
    const network = 0.02 + 0.01 * random()
    const spanId = index.toString(16).padStart(16, '0')
    return {
      ...emptyColumns(),
      trace_id: spanId.repeat(2),
      record_id: spanId,
      start_unix_ns: BigInt(Math.round(at * 1e6)) * 1000n,
      vantage: 'client',
      version: 1,
      outcome: 'ok',
      model: 'm',
      replica,
      tenant: `tenant-${Math.floor(random() * 4)}`,
      route: `/v1/${Math.floor(random() * 3)}`,
      prompt_tokens: 500,
      output_tokens: 50,
      ttft: prefill + network,
      e2e: prefill + network + 1,
      phases: [
        { phase: 'client.upload', seconds: network, source: 'test', exactness: 'measured' },
        { phase: 'engine.prefill', seconds: prefill, source: 'test', exactness: 'measured' },
      ],
      overlays: [],
      hops: [],
      attempt_list: [],
    } satisfies RequestRecord
  })
}

function goTo(seconds: number): void {
  const now = Number(clock.unixNano() / 1_000_000n)
  clock.advance(seconds * 1000 - now)
}

test('before the fault nothing is said', async () => {
  goTo(FAULT - 10)
  await localizer.evaluate()
  expect(shown).toEqual([])
  expect(trouble).toEqual([])
})

test('the slow replica is named with its phase within 90 s of the fault, and stored', async () => {
  goTo(FAULT + 90)
  await localizer.evaluate()
  expect(trouble).toEqual([])
  expect(shown).toHaveLength(1)
  const [finding] = shown as [Finding]
  expect(finding).toMatchObject({
    verdict: 'localized',
    model: 'm',
    slice: { replica: ['replica-1'] },
    target: { column: 'ttft', slo: 'ttft' },
  })
  expect(finding.phases[0]?.phase).toBe('engine.prefill')
  expect(finding.mechanism?.name).toBe('slower_compute')
  expect(Math.abs(Date.parse(finding.onset?.at ?? '') / 1000 - FAULT)).toBeLessThan(30)
  expect(await store.findings({ open: true })).toMatchObject([{ id: finding.id }])
})

test('it stays the same finding while it lasts, also for a restarted hub', async () => {
  const [first] = shown as [Finding]
  goTo(FAULT + 150)
  await localizer.evaluate()
  expect(shown.map((finding) => finding.id)).toEqual([first.id])
  let again: readonly Finding[] = []
  const restarted = createHubLocalizer({
    store,
    objectives: OBJECTIVES,
    clock,
    streaming: () => [],
    onFindings: (findings) => {
      again = findings
    },
    onTrouble: (message) => trouble.push(message),
  })
  goTo(FAULT + 200)
  await restarted.evaluate()
  await restarted.close()
  expect(again.map((finding) => finding.id)).toEqual([first.id])
})

test('a restarted hub that nothing comes to looks at the end of the traffic, once', async () => {
  let looks = 0
  let again: readonly Finding[] = []
  const counted: Store = {
    ...store,
    queryArrow(...query) {
      looks++
      return store.queryArrow(...query)
    },
  }
  const restarted = createHubLocalizer({
    store: counted,
    objectives: OBJECTIVES,
    clock: createManualClock(BigInt(START + 5_000) * 1_000_000_000n),
    streaming: () => [],
    onFindings: (findings) => {
      again = findings
    },
    onTrouble: (message) => trouble.push(message),
  })
  await restarted.evaluate()
  expect(again).toMatchObject([{ verdict: 'localized', slice: { replica: ['replica-1'] } }])
  expect(looks).toBe(1)
  await restarted.evaluate()
  await restarted.close()
  expect(looks).toBe(1)
  expect(trouble).toEqual([])
})

test('why answers for a window and a slice, and tells bad questions and thin windows apart', async () => {
  const incident = { from: FAULT, to: FAULT + 200 }
  const answer = await localizer.why({ incident, quantile: 0.9 })
  expect(answer.findings[0]).toMatchObject({ verdict: 'localized', slice: { replica: ['replica-1'] } })
  expect(answer.rows.incident).toBeGreaterThan(300)
  const healthy = await localizer.why({ incident, slice: { replica: ['replica-0'] } })
  expect(healthy.findings[0]?.verdict).toBe('no_regression')
  await expect(localizer.why({ incident, dimensions: ['nobody'] })).rejects.toMatchObject({ status: 400 })
  await expect(localizer.why({ incident: { from: 1, to: 2 } })).rejects.toMatchObject({ status: 422, code: 'too_few_rows' })
})
