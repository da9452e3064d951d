// `npm run e2e:conservation [SPANS]`: a million spans with copies, late ones and malformed ones. The hub's own account must say of each
// where it went, agree with the sender's and with the store, and each request must be one record soon after. See README.md.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { Span } from '@longpole/model/span'
import { type Check, print } from './checks.ts'
import { createTestHub, type Page, residentMegabytes } from './ingest/hub.ts'
import { keyOf, makeRequest, randomId } from './ingest/spans.ts'
import { runProgram, type Workspace } from './processes.ts'

const SPANS = Number(process.argv[2] ?? 1_000_000)
const BATCH_SPANS = 1_000
const SENDERS = 4
/** A span is late when it comes with a body of then; so many wait. */
const LATE_SPANS = 5_000
const JOINED_WITHIN_MS = 180_000

/** What was sent, each time that it was sent. */
interface Sent {
  spans: number
  malformed: number
  distinct: Set<string>
  requests: number
  /** Sent again because the hub said so. */
  again: number
}

async function main(workspace: Workspace): Promise<boolean> {
  const hub = await createTestHub(workspace)
  await hub.start()
  const sent: Sent = { spans: 0, malformed: 0, distinct: new Set(), requests: 0, again: 0 }
  const late: Span[] = []
  let highest = residentMegabytes(hub.pid())
  const watch = setInterval(() => {
    highest = Math.max(highest, residentMegabytes(hub.pid()))
  }, 250)

  async function send(spans: readonly Span[]): Promise<void> {
    for (;;) {
      sent.spans += spans.length
      for (const span of spans) if (isMalformed(span)) sent.malformed++
      if ((await hub.send(spans)) === 200) break
      sent.again += spans.length
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    for (const span of spans) if (!isMalformed(span)) sent.distinct.add(keyOf(span))
  }

  async function sender(): Promise<void> {
    while (sent.spans < SPANS) {
      const batch = makeBatch(late, sent)
      await send(batch)
      // A sender whose answer was lost sends the whole body again.
      if (Math.random() < 0.03) await send(batch)
    }
  }

  const startMs = performance.now()
  await Promise.all(Array.from({ length: SENDERS }, sender))
  while (late.length > 0) await send(late.splice(0, BATCH_SPANS))
  const seconds = (performance.now() - startMs) / 1e3
  const account = accountOf(await hub.metrics())
  const joinedMs = await waitForRecords(async () => accountOf(await hub.metrics()), sent.requests)
  clearInterval(watch)
  await hub.stop()
  const [stored] = await hub.query<{ rows: number; distinct: number }>(
    'SELECT count() AS rows, uniqExact(trace_id, span_id) AS distinct FROM spans',
  )
  const [records] = await hub.query<{ rows: number; traces: number; whole: number }>(
    'SELECT count() AS rows, uniqExact(trace_id) AS traces, countIf(version = 3) AS whole FROM requests',
  )
  const copies = sent.spans - sent.again - sent.malformed - sent.distinct.size
  const out = account.stored + account.dropped + account.rejected + account.inFlight
  console.log(
    `${sent.spans} spans in ${seconds.toFixed(1)} s (${Math.round(sent.spans / seconds)}/s), ${copies} copies, ${sent.malformed} malformed, ${sent.again} sent again`,
  )
  return print([
    check('received is what was sent', account.received, sent.spans),
    check('received = stored + dropped + rejected + in flight', out, account.received),
    check('stored is what the store holds', stored?.rows, account.stored),
    check('each distinct span is stored', stored?.distinct, sent.distinct.size),
    check('malformed ones are counted as such', account.malformed, sent.malformed),
    check('one record a request', records?.rows, sent.requests),
    check('no trace without its record', records?.traces, sent.requests),
    check('each record holds all three spans', records?.whole, sent.requests),
    {
      name: 'all records are written soon',
      ok: joinedMs <= JOINED_WITHIN_MS,
      detail: `${(joinedMs / 1e3).toFixed(1)} s after the last span`,
    },
    { name: 'memory is bounded', ok: highest < 1_000, detail: `${highest.toFixed(0)} MB at most` },
  ])
}

/** Requests, some with a span left for later, and among them copies and spans without valid ids. */
function makeBatch(late: Span[], sent: Sent): Span[] {
  const batch: Span[] = []
  while (batch.length < BATCH_SPANS) {
    const request = makeRequest()
    sent.requests++
    const luck = Math.random()
    if (luck < 0.02) late.push(request.pop() as Span)
    batch.push(...request)
    if (luck > 0.98) batch.push(request[0])
    else if (luck > 0.97) batch.push({ ...request[0], traceId: '' })
    else if (luck > 0.96) batch.push({ ...request[0], spanId: 'abcd' })
    else if (luck > 0.95 && late.length > 0) batch.push(late[Math.floor(Math.random() * late.length)] as Span)
    else if (luck > 0.94) batch.push({ ...request[0], spanId: randomId(8), name: 'of no request', attributes: {}, scopeName: 'http' })
  }
  while (late.length > LATE_SPANS) batch.push(late.shift() as Span)
  return batch
}

function isMalformed({ traceId, spanId }: Span): boolean {
  return traceId.length !== 32 || spanId.length !== 16
}

function accountOf(page: Page) {
  return {
    received: page(METRICS.spansReceivedTotal.name),
    stored: page(METRICS.spansStoredTotal.name),
    dropped: page(METRICS.spansDroppedTotal.name),
    malformed: page(METRICS.spansDroppedTotal.name, 'malformed'),
    rejected: page(METRICS.spansRejectedTotal.name),
    inFlight: page(METRICS.spansInFlight.name),
    settled: page(METRICS.recordsTotal.name, 'settled'),
    unsettled: page(METRICS.unsettledRequests.name),
  }
}

/** Milliseconds until as many records as requests were written and nothing waits. */
async function waitForRecords(account: () => Promise<ReturnType<typeof accountOf>>, requests: number): Promise<number> {
  const startMs = performance.now()
  for (;;) {
    const { settled, unsettled } = await account()
    const passedMs = performance.now() - startMs
    if ((settled >= requests && unsettled === 0) || passedMs > JOINED_WITHIN_MS) return passedMs
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

function check(name: string, got: number | undefined, expected: number): Check {
  return { name, ok: got === expected, detail: got === expected ? `${got}` : `${got} instead of ${expected}` }
}

await runProgram(main)
