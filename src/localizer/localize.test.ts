// The whole localizer on small tables: right answers, silence, clear errors, and the same answer for any order of rows or ids.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { localize } from './localize.ts'
import type { Question } from './question.ts'
import { createRandom } from './sampling.ts'
import { type DimensionColumn, QuestionError, type Table, TooFewRowsError } from './table.ts'

const START = 1_700_000_000
const LENGTH = 1_200
const ONSET = START + 900
const VALUES = { shop: ['a', 'b', 'c', 'd'], carrier: ['x', 'y', 'z'], country: ['p', 'q', 'r', 's', 't'] }

interface World {
  rows?: number
  seed?: number
  /** Value of one row, `slow` where the fault is on. */
  value?(random: () => number, slow: boolean): number
  fault?: boolean
}

/** Somebody else's table: no column has a name that the product knows. */
function world({ rows = 2_400, seed = 1, value = (random, slow) => (slow ? 2 : 1) * (1 + random()), fault = true }: World = {}): Table {
  const random = createRandom(seed)
  const time = Float64Array.from({ length: rows }, (_, row) => START + (LENGTH * row) / rows)
  const dimensions = new Map<string, DimensionColumn>()
  for (const [name, values] of Object.entries(VALUES)) {
    dimensions.set(name, { name, values, ids: Uint16Array.from({ length: rows }, () => Math.floor(random() * values.length)) })
  }
  const shop = dimensions.get('shop')?.ids
  const took = Float64Array.from(time, (at, row) => value(random, fault && at >= ONSET && shop?.[row] === 1))
  return { rows, time, weight: null, dimensions, numbers: new Map([['took', took]]), flags: new Set() }
}

function question(more: Partial<Question> = {}): Question {
  return {
    target: 'took',
    measure: { kind: 'quantile', quantile: 0.9 },
    incident: { from: ONSET, to: START + LENGTH },
    baseline: [],
    dimensions: Object.keys(VALUES),
    phases: [],
    covariates: null,
    slo: null,
    model: null,
    samples: [],
    events: [],
    seed: 1,
    ...more,
  }
}

/** The healthy world with each row's value changed by what dimension values it has, while the incident lasts. */
function changed(change: (value: number, is: (dimension: string, value: string) => boolean) => number): Table {
  const table = world({ fault: false })
  const took = (table.numbers.get('took') as Float64Array).map((value, row) => {
    if ((table.time[row] as number) < ONSET) return value
    return change(value, (name, wanted) => {
      const dimension = table.dimensions.get(name) as DimensionColumn
      return dimension.values[dimension.ids[row] as number] === wanted
    })
  })
  return { ...table, numbers: new Map([['took', took]]) }
}

describe('what moved', () => {
  test('two faults at once are both named, and divide what they explain', () => {
    const table = changed((value, is) => value * (is('shop', 'b') ? 3 : 1) + (is('carrier', 'y') ? 1.5 : 0))
    const findings = localize(table, question()).findings.filter(({ verdict }) => verdict === 'localized')
    const slices = findings.map(({ slice }) => JSON.stringify(slice)).sort()
    expect(slices).toEqual(['{"carrier":["y"]}', '{"shop":["b"]}'])
    const shares = findings.map(({ share_explained }) => share_explained?.value ?? 0)
    expect(Math.max(...shares)).toBeLessThan(1)
    expect((shares[0] ?? 0) + (shares[1] ?? 0)).toBeGreaterThan(0.8)
    expect((shares[0] ?? 0) + (shares[1] ?? 0)).toBeLessThan(1.1)
  })

  test('a body that moved under a tail that stays is named', () => {
    // Between 1 and 2: the fast ones of the slice become ordinary, the slow ones stay as they are.
    const table = changed((value, is) => (is('shop', 'b') ? Math.max(value, 1.55 + (value - 1) * 0.3) : value))
    expect(localize(table, question()).findings[0]).toMatchObject({ verdict: 'localized', slice: { shop: ['b'] } })
  })

  test('a body of everybody that moved a little is no alarm', () => {
    const table = changed((value) => Math.max(value, 1.2))
    expect(['no_regression', 'workload_shift']).toContain(localize(table, question()).findings[0]?.verdict)
  })

  test('a change of everything is matched to no part', () => {
    const change = (id: string, scope: Record<string, string[]>) => ({
      ...{ id, kind: 'deploy' as const, unix_ns: BigInt(ONSET - 20) * 1_000_000_000n, scope, title: id, source: 'api' },
      ...{ from_value: null, to_value: null },
    })
    const events = [change('everywhere', {}), change('own', { shop: ['b'] }), change('elsewhere', { shop: ['c'] })]
    const [finding] = localize(world(), question({ events })).findings
    expect(finding?.changes.map(({ event }) => event.id)).toEqual(['own'])
  })
})

describe('measures', () => {
  test('a quantile: the slow slice, its onset, its share and its healthy siblings', () => {
    const [finding] = localize(world(), question()).findings
    expect(finding).toMatchObject({ verdict: 'localized', slice: { shop: ['b'] } })
    expect(Math.abs(Date.parse(finding?.onset?.at ?? '') / 1000 - ONSET)).toBeLessThan(15)
    expect(finding?.share_explained?.value).toBeGreaterThan(0.9)
    expect(finding?.siblings).toHaveLength(3)
  })

  test('a deadline: rows above it are bad', () => {
    const [finding] = localize(world(), question({ measure: { kind: 'deadline', seconds: 2 } })).findings
    expect(finding).toMatchObject({ verdict: 'localized', slice: { shop: ['b'] }, target: { slo_seconds: 2 } })
    expect(finding?.bad_requests).toBeGreaterThan(50)
  })

  test('a flag is a ratio', () => {
    const table = world({ value: (random, slow) => (random() < (slow ? 0.4 : 0.03) ? 1 : 0) })
    const [finding] = localize(table, question({ measure: { kind: 'ratio' } })).findings
    expect(finding).toMatchObject({ verdict: 'localized', slice: { shop: ['b'] } })
  })

  test.each([
    ['rises', 2],
    ['falls', 0.4],
  ])('an additive measure that %s', (_, factor) => {
    const table = world({ value: (random, slow) => (slow ? factor : 1) * (50 + 20 * random()) })
    expect(localize(table, question({ measure: { kind: 'sum' } })).findings[0]).toMatchObject({
      verdict: 'localized',
      slice: { shop: ['b'] },
    })
    const quiet = world({ fault: false, value: (random) => 50 + 20 * random() })
    expect(localize(quiet, question({ measure: { kind: 'sum' } })).findings[0]?.verdict).toBe('no_regression')
  })

  test('a quiet table: no regression', () => {
    for (const seed of [1, 2, 3, 4]) {
      expect(localize(world({ fault: false, seed }), question()).findings).toMatchObject([{ verdict: 'no_regression' }])
    }
  })

  test('everything slower: fleet-wide', () => {
    const table = world({ fault: false })
    const took = table.numbers.get('took') as Float64Array
    for (let row = 0; row < table.rows; row++) if ((table.time[row] as number) >= ONSET) took[row] = (took[row] as number) * 1.6
    expect(localize(table, question()).findings[0]?.verdict).toBe('fleet_wide')
  })
})

describe('hard input', () => {
  test('fifty rows get an answer', () => {
    const { findings } = localize(world({ rows: 50 }), question())
    expect(['localized', 'not_localized', 'no_regression', 'fleet_wide']).toContain(findings[0]?.verdict)
    expect(findings[0]?.confidence === 'high' && findings[0]?.slice.shop?.[0] !== 'b').toBe(false)
  })

  test('too few rows is an error of its own that says which window', () => {
    expect(() => localize(world({ rows: 20 }), question())).toThrow(TooFewRowsError)
    expect(() => localize(world(), question({ incident: { from: 1, to: 2 } }))).toThrow(/incident window holds 0/)
  })

  test.each<[string, Partial<Question>, RegExp]>([
    ['an unknown target', { target: 'nope' }, /target: expected one of the columns took/],
    ['an unknown dimension', { dimensions: ['nope'] }, /dimensions: expected one of/],
    ['no dimension', { dimensions: [] }, /dimensions: expected at least one/],
    ['an unknown covariate', { covariates: ['nope'] }, /covariates: expected one of/],
    ['a window that ends before it begins', { incident: { from: 5, to: 4 } }, /incident: expected a window/],
  ])('%s is named', (_, more, message) => {
    expect(() => localize(world(), question(more))).toThrow(QuestionError)
    expect(() => localize(world(), question(more))).toThrow(message)
  })

  test('one value, equal times and missing values do not produce a culprit', () => {
    const constant = world({ value: () => 1 })
    expect(localize(constant, question()).findings[0]?.verdict).toBe('no_regression')
    const holes = world({ fault: false })
    const took = holes.numbers.get('took') as Float64Array
    for (let row = 0; row < took.length; row += 3) took[row] = Number.NaN
    const [finding] = localize(holes, question()).findings
    expect(finding?.verdict).toBe('no_regression')
    expect(finding?.not_seen.join()).toContain('without took')
    const sameTime = world({ fault: false })
    for (let row = 0; row < sameTime.rows; row++) sameTime.time[row] = row % 4 === 0 ? ONSET : START
    expect(localize(sameTime, question()).findings[0]?.verdict).toBe('no_regression')
  })

  test('weights count: a slice that is sampled more thinly is found by its weight', () => {
    const table = world()
    const weight = Float64Array.from({ length: table.rows }, (_, row) => (row % 2 === 0 ? 1 : 3))
    expect(localize({ ...table, weight }, question()).findings[0]).toMatchObject({ verdict: 'localized', slice: { shop: ['b'] } })
  })
})

describe('a hang while it lasts', () => {
  test('open requests are censored rows: the replica that answers none is found', () => {
    const table = world({ fault: false })
    const shop = table.dimensions.get('shop') as DimensionColumn
    const took = table.numbers.get('took') as Float64Array
    const hangs = (row: number) => (table.time[row] as number) >= ONSET && shop.ids[row] === 1
    for (let row = 0; row < table.rows; row++) if (hangs(row)) took[row] = Number.NaN
    const ids = Uint16Array.from({ length: table.rows }, (_, row) => (hangs(row) ? 1 : 0))
    const dimensions = new Map([...table.dimensions, ['outcome', { name: 'outcome', values: ['ok', 'open'], ids }]])
    const [finding] = localize({ ...table, dimensions }, question()).findings
    expect(finding).toMatchObject({ verdict: 'localized', slice: { shop: ['b'] }, mechanism: { name: 'hang' } })
  })
})

describe('determinism', () => {
  const plain = (table: Table) => {
    const [finding] = localize(table, question()).findings
    const round = (value: number | undefined) => value?.toPrecision(6)
    return [finding?.verdict, finding?.slice, finding?.onset?.at, round(finding?.probability), round(finding?.excess_seconds)]
  }
  const shuffled = (table: Table, seed: number): Table => {
    const random = createRandom(seed)
    const order = Uint32Array.from({ length: table.rows }, (_, row) => row)
    for (let at = order.length - 1; at > 0; at--) {
      const other = Math.floor(random() * (at + 1))
      const swap = order[at] as number
      order[at] = order[other] as number
      order[other] = swap
    }
    const dimensions = new Map<string, DimensionColumn>()
    for (const [name, { values, ids }] of table.dimensions) {
      const renamed = values.map((_, id) => (id + seed) % values.length)
      const names = values.map((_, id) => values[renamed.indexOf(id)] as string)
      dimensions.set(name, { name, values: names, ids: Uint16Array.from(order, (row) => renamed[ids[row] as number] as number) })
    }
    const numbers = new Map([...table.numbers].map(([name, column]) => [name, Float64Array.from(order, (row) => column[row] as number)]))
    return { ...table, time: Float64Array.from(order, (row) => table.time[row] as number), dimensions, numbers }
  }

  test('any order of rows and any dictionary ids give the same answer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.boolean(), (seed, fault) => {
        const table = world({ seed, fault, rows: 1_200 })
        expect(plain(shuffled(table, seed))).toEqual(plain(table))
      }),
      { numRuns: 8, seed: 7 },
    )
  })

  test('against a baseline that is known from an earlier question the answer is the one that a new table gets', () => {
    const baseline = [{ from: START, to: ONSET }]
    const later = question({ baseline, incident: { from: ONSET + 20, to: START + LENGTH } })
    const asked = world()
    localize(asked, question({ baseline, incident: { from: ONSET, to: START + LENGTH - 30 } }))
    expect(localize(asked, later)).toEqual(localize(world(), later))
  })

  test('another window, target measure or dimension is another baseline', () => {
    const table = world()
    localize(table, question())
    for (const other of [
      question({ baseline: [{ from: START + 100, to: ONSET }] }),
      question({ measure: { kind: 'deadline', seconds: 2 } }),
      question({ dimensions: ['shop', 'carrier'] }),
    ]) {
      expect(localize(table, other)).toEqual(localize(world(), other))
    }
  })
})
