import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createIdSource, formatTraceparent, parseTraceparent } from './trace-context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

test('a traceparent is read and written back', () => {
  const value = `00-${TRACE}-b7ad6b7169203331-01`
  const context = parseTraceparent(value)
  expect(context).toEqual({ traceId: TRACE, parentSpanId: 'b7ad6b7169203331', flags: 1 })
  expect(formatTraceparent(TRACE, 'b7ad6b7169203331', 1)).toBe(value)
})

test('a later version with more fields is read as far as it is known', () => {
  expect(parseTraceparent(`cc-${TRACE}-b7ad6b7169203331-03-what-comes`)).toMatchObject({ traceId: TRACE, flags: 3 })
})

test.each([
  '',
  `00-${TRACE}-b7ad6b7169203331-01-extra`,
  `ff-${TRACE}-b7ad6b7169203331-01`,
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`,
  `00-${TRACE}-b7ad6b7169203331`,
  ` 00-${TRACE}-b7ad6b7169203331-01`,
])('%j is malformed', (value) => {
  expect(parseTraceparent(value)).toBeNull()
})

test('ids have their form and do not repeat', () => {
  const ids = createIdSource(randomBytes)
  const spans = new Set(Array.from({ length: 2_000 }, () => ids.newSpanId()))
  expect(spans.size).toBe(2_000)
  for (const id of spans) expect(id).toMatch(/^[0-9a-f]{16}$/)
  expect(ids.newTrace()).toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), parentSpanId: '', flags: 1 })
  expect(ids.newRequestId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('an id of zeros is drawn again', () => {
  let drawn = 0
  const ids = createIdSource((size) => Buffer.alloc(size, drawn++ === 0 ? 0 : 1))
  expect(ids.newSpanId()).toBe('01'.repeat(8))
})
