// What every store must do, as tests: run on the embedded store, and on a ClickHouse server where LONGPOLE_TEST_STORE_URL names one.
import { tableFromIPC, tableToIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeFinding, makeRecord, makeRecords, makeSample, makeSpans, START } from './conformance-data.ts'
import { encodeRecords } from './rows/request-rows.ts'
import type { Store, StoredSpan } from './store.ts'

const SECOND = 1_000_000_000n

export function describeStore(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store
    beforeAll(async () => {
      store = await open()
    })
    afterAll(async () => store?.close())
    const opened = () => store

    testSpans(opened)
    testRecords(opened)
    testReads(opened)
    testBulk(opened)
    testOthers(opened)
  })
}

/** Spans, stored and read back. */
function testSpans(opened: () => Store): void {
  test('spans come back as they were, a span sent twice comes back once', async () => {
    const store = opened()
    const spans = makeSpans(30)
    await store.insertSpans(spans)
    await store.insertSpans(spans.slice(0, 6).map(({ span }) => ({ span, receivedUnixNano: START + SECOND })))
    const traceId = spans[0]!.span.traceId
    const first = spans.slice(0, 3).map(({ span }) => span)
    expect(await store.spansOfTraces([traceId])).toEqual(first)
    expect(await store.spansOfTraces(['f'.repeat(32)])).toEqual([])
    const both = await store.spansOfTraces([traceId, spans[3]!.span.traceId])
    expect(both.filter((span) => span.traceId === traceId)).toEqual(first)
    expect(both).toHaveLength(6)
    expect(await store.spansOfTraces([traceId], START + 2n * SECOND)).toEqual([])
  })

  test('spans since an instant come in the order they were received', async () => {
    const store = opened()
    const spans = makeSpans(7_000, { seed: 2, receivedUnixNano: START + 100n * SECOND })
    await store.insertSpans(spans)
    const since = spans[500]!.receivedUnixNano
    const seen: StoredSpan[] = []
    for await (const batch of store.spansSince(since)) seen.push(...batch)
    expect(seen.length).toBe(6_500)
    expect(seen[0]).toEqual(spans[500])
    expect(seen.every((stored, index) => index === 0 || stored.receivedUnixNano >= seen[index - 1]!.receivedUnixNano)).toBe(true)
  })
}

/** Records, their versions and those that became part of another. The reads below ask for what these leave. */
function testRecords(opened: () => Store): void {
  test('a record comes back as it was, whatever is null in it', async () => {
    const store = opened()
    const records = makeRecords(60)
    await store.insertRecords(records)
    for (const record of records.slice(0, 12)) expect(await store.request(record.record_id)).toEqual(record)
    expect(await store.request('nobody')).toBeNull()
  })

  test('a later version replaces an earlier one for every reader, in any order of arrival', async () => {
    const store = opened()
    const first = makeRecord(1_000, { version: 1 })
    const second = {
      ...first,
      version: 2,
      outcome: 'error' as const,
      start_unix_ns: first.start_unix_ns - 40n * SECOND,
      model: 'model-9',
    }
    await store.insertRecords([second])
    await store.insertRecords([first])
    expect(await store.request(first.record_id)).toEqual(second)
    expect((await store.requests({ where: { record_id: [first.record_id] } })).items).toEqual([second])
    expect(await store.query('SELECT count() AS rows FROM requests WHERE record_id = {id:String}', { id: first.record_id })).toEqual([
      { rows: 1 },
    ])
  })

  test('a record that was part of another is gone for every reader, and stays gone when it is written again', async () => {
    const store = opened()
    const gone = makeRecord(2_000)
    const kept = makeRecord(2_001)
    const where = { record_id: [gone.record_id, kept.record_id] }
    await store.insertRecords([gone, kept])
    await store.deleteRecords([gone.record_id, 'nobody'])
    await store.insertRecords([gone])
    expect(await store.request(gone.record_id)).toBeNull()
    expect((await store.requests({ where })).items).toEqual([kept])
    const sql = 'SELECT count() AS rows, sum(e2e) AS seconds FROM requests WHERE record_id IN {ids:Array(String)}'
    expect(await store.query(sql, { ids: where.record_id })).toEqual([{ rows: 1, seconds: kept.e2e }])
    expect(
      tableFromIPC(await store.queryArrow('SELECT e2e FROM requests WHERE record_id IN {ids:Array(String)}', { ids: where.record_id }))
        .numRows,
    ).toBe(1)
    await store.deleteRecords([kept.record_id])
  })
}

/** Reads by filter, SQL and Arrow. */
function testReads(opened: () => Store): void {
  test('requests are filtered, ordered and paged without a gap or a repetition', async () => {
    const store = opened()
    const all = makeRecords(60)
    const pages: string[] = []
    let cursor: string | undefined
    do {
      const { items, next } = await store.requests({
        where: { model: ['model-0', 'model-1'] },
        from: START,
        limit: 7,
        cursor,
        order: 'e2e',
      })
      expect(items.length).toBeLessThanOrEqual(7)
      pages.push(...items.map((item) => item.record_id))
      cursor = next ?? undefined
    } while (cursor !== undefined)
    const expected = all
      .filter((record) => record.model !== 'model-2')
      .sort((a, b) => b.e2e! - a.e2e!)
      .map((record) => record.record_id)
    expect(pages).toEqual(expected)
    const window = await store.requests({ from: START + SECOND, to: START + SECOND + 100_000_000n, outcome: ['ok'] })
    expect(window.items.map((item) => item.record_id)).toEqual(
      all
        .filter((record, index) => index >= 40 && index < 44 && record.outcome === 'ok')
        .map((record) => record.record_id)
        .reverse(),
    )
  })

  test('what cannot be filtered by, and what is no cursor, is refused by name', async () => {
    const store = opened()
    await expect(store.requests({ where: { 'model) OR (1': ['x'] } })).rejects.toThrow(RangeError)
    await expect(store.requests({ where: { e2e: ['1'] } })).rejects.toThrow('cannot be filtered by e2e')
    await expect(store.requests({ cursor: 'nonsense' })).rejects.toThrow('not a cursor')
  })

  test('parameters are values, never SQL', async () => {
    const store = opened()
    const hostile = "'; DROP TABLE requests; -- \\ {x:String} \n\t🙂"
    expect(await store.query('SELECT {a:String} AS a, {b:Array(String)} AS b', { a: hostile, b: [hostile] })).toEqual([
      { a: hostile, b: [hostile] },
    ])
    await expect(store.query('SELECT 1; SELECT 2')).rejects.toThrow()
  })

  test('an Arrow answer keeps dictionaries and sees amended records once', async () => {
    const store = opened()
    const table = tableFromIPC(
      await store.queryArrow("SELECT record_id, replica, ttft FROM requests WHERE cluster = 'c1' ORDER BY record_id"),
    )
    expect(table.numRows).toBe(61)
    expect(String(table.schema.fields[1]!.type)).toContain('Dictionary')
    const empty = tableFromIPC(await store.queryArrow("SELECT replica FROM requests WHERE cluster = 'none'"))
    expect([empty.numRows, empty.schema.fields[0]!.name]).toEqual([0, 'replica'])
  })
}

/** Whole tables in and out, and many callers at once. */
function testBulk(opened: () => Store): void {
  test('a whole record table is taken by column name; what it lacks is null', async () => {
    const store = opened()
    const records = makeRecords(40, { seed: 7 })
    await store.insertRecordTable((await encodeRecords(records)).body)
    expect(await store.request(records[3]!.record_id)).toEqual(records[3])
    const { body } = await encodeRecords(records.map((record) => ({ ...record, record_id: `bulk-${record.record_id}` })))
    const table = tableFromIPC(body)
    const few = table.select(['record_id', 'start_unix_ns', 'outcome', 'ttft', 'trace_id', 'vantage'])
    await store.insertRecordTable(tableToIPC(few, 'stream'))
    const back = await store.request(`bulk-${records[0]!.record_id}`)
    expect(back).toMatchObject({
      ttft: records[0]!.ttft,
      model: null,
      weight: 1,
      received_unix_ns: records[0]!.start_unix_ns,
      phases: [],
    })
    await expect(store.insertRecordTable(tableToIPC(table.select(['ttft']), 'stream'))).rejects.toThrow('column record_id is missing')
    await expect(store.insertRecordTable(new Uint8Array([1, 2, 3]))).rejects.toThrow('not an Arrow IPC stream')
  })

  test('many callers at once are all told, and every row is there', async () => {
    const store = opened()
    const callers = Array.from({ length: 40 }, (_, index) => makeSpans(25, { seed: 100 + index, receivedUnixNano: START + 500n * SECOND }))
    await Promise.all(callers.map((spans) => store.insertSpans(spans)))
    const [row] = await store.query<{ rows: number }>(
      'SELECT uniqExact(trace_id, span_id) AS rows FROM spans WHERE received_unix_ns >= {since:Int64}',
      {
        since: String(START + 500n * SECOND),
      },
    )
    expect(row!.rows).toBe(1_000)
  })

  test('an export streams any format, complete with its header', async () => {
    const store = opened()
    const stream = await store.export("SELECT record_id, e2e FROM requests WHERE cluster = 'c1' ORDER BY record_id", 'CSVWithNames')
    const text = Buffer.concat(await stream.toArray()).toString('utf8')
    expect(text.split('\n')[0]).toBe('"record_id","e2e"')
    expect(text.trim().split('\n').length).toBeGreaterThan(60)
  })
}

/** Everything that is neither span nor record. */
function testOthers(opened: () => Store): void {
  test('samples, events, findings and verdicts are kept; the newest of each wins', async () => {
    const store = opened()
    await store.insertSamples([makeSample(0), makeSample(1), makeSample(1)])
    expect(await store.query('SELECT replica, running, waiting FROM samples ORDER BY unix_ns')).toEqual([
      { replica: 'replica-0', running: 3, waiting: null },
      { replica: 'replica-1', running: 3, waiting: null },
    ])
    const event = {
      id: 'e1',
      kind: 'deploy' as const,
      unix_ns: START,
      scope: { replica: ['a'] },
      title: "it's out",
      source: 'api',
      from_value: null,
      to_value: '2',
    }
    await store.insertEvents([event, event])
    expect(await store.events(START, START + 1n)).toEqual([event])
    expect(await store.events(START + 1n, START + SECOND)).toEqual([])
    const open = makeFinding('f1')
    const closed = makeFinding('f1', { updated: '2026-11-24T12:05:00.000Z', closed: '2026-11-24T12:05:00.000Z' })
    await store.insertFindings([open, makeFinding('f2')])
    await store.insertFindings([closed])
    expect((await store.findings({ open: true })).map((finding) => finding.id)).toEqual(['f2'])
    expect(await store.findings({ open: false })).toEqual([closed])
    await store.insertVerdict({ finding: 'f1', verdict: 'right' }, START)
    await store.insertVerdict({ finding: 'f1', verdict: 'wrong', note: 'it was us' }, START + 1n)
    expect(await store.query('SELECT finding, verdict, note FROM verdicts')).toEqual([
      { finding: 'f1', verdict: 'wrong', note: 'it was us' },
    ])
  })

  test('it tells what it uses', async () => {
    const store = opened()
    const { bytes, freeRatio } = await store.usage()
    expect(bytes).toBeGreaterThan(1_000)
    expect(freeRatio).toBeGreaterThan(0)
    expect(freeRatio).toBeLessThanOrEqual(1)
    expect(await store.ready()).toBe(true)
  })
}
