import { emptyColumns } from '@longpole/model/request-columns'
import type { RequestRecord } from '@longpole/model/request-record'
import { judge, judgeGoodput, type Objective } from '@longpole/model/slo'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeRecord } from '../../store/conformance-data.ts'
import { goodputExpression, judgementExpression } from './slo-sql.ts'
import { startTestHub } from './test-hub.ts'

const OBJECTIVES: Objective[] = [
  { slo: 'ttft', model: '*', objective: 0.99, thresholdSeconds: { '1k': 1, '8k': 2, inf: 5 } },
  { slo: 'tpot', model: '*', objective: 0.99, thresholdSeconds: { inf: 0.1 } },
  { slo: 'stall', model: '*', objective: 0.99, thresholdSeconds: { '32k': 1 } },
  { slo: 'e2e', model: '*', objective: 0.99, thresholdSeconds: { '1k': 3, inf: 30 } },
  { slo: 'availability', model: '*', objective: 0.999 },
  { slo: 'goodput', model: '*', objective: 0.9 },
]

test('the store judges as the model does, whatever is known of a request', async () => {
  const value = (limits: number[]) => fc.option(fc.constantFrom(...limits.flatMap((limit) => [limit * 0.99, limit, limit * 1.01])))
  const views = fc.record({
    outcome: fc.constantFrom('ok', 'error', 'aborted', 'timeout', 'rejected', 'open') as fc.Arbitrary<RequestRecord['outcome']>,
    prompt_class: fc.option(fc.constantFrom('1k', '8k', '32k', 'inf')),
    ttft: value([1, 2, 5]),
    tpot: value([0.1]),
    itl_max: value([1]),
    e2e: value([3, 30, 2]),
  })
  const samples = fc.sample(views, { numRuns: 1_500, seed: 20_261_124 })
  const hub = await startTestHub()
  try {
    const records = samples.map(
      (view, index): RequestRecord => ({ ...makeRecord(index), ...emptyColumns(), ...identity(index), ...view, version: 1 }),
    )
    await hub.store.insertRecords(records)
    const selected = [
      ...OBJECTIVES.slice(0, -1).map(judgementExpression),
      goodputExpression(OBJECTIVES.slice(0, -1).map(judgementExpression)),
    ].map((sql, index) => `${sql} AS r${index}`)
    const rows = await hub.store.query<Record<string, number | null>>(
      `SELECT record_id, ${selected.join(', ')} FROM requests ORDER BY record_id`,
    )
    expect(rows).toHaveLength(records.length)
    for (const [index, record] of records.entries()) {
      // A record of an open request has no age of its own: `judge` then goes by e2e, as the store does.
      const view = record.outcome === 'open' ? { ...record, e2e: record.e2e } : record
      const results = OBJECTIVES.slice(0, -1).map((objective) => judge(objective, view))
      const expected = [...results, judgeGoodput(results)].map((result) => (result === null ? null : Number(result === 'bad')))
      const got = OBJECTIVES.map((_, column) => rows[index]![`r${column}`])
      expect({ view: samples[index], got }).toEqual({ view: samples[index], got: expected })
    }
  } finally {
    await hub.close()
  }
})

function identity(index: number) {
  const { trace_id, start_unix_ns, received_unix_ns, vantage } = makeRecord(index)
  return { trace_id, start_unix_ns, received_unix_ns, vantage, record_id: String(index).padStart(8, '0') }
}
