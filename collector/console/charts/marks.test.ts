import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Mark, placeMarks } from './marks.ts'

const space = { left: 100, right: 900, placeOf: (at: number) => at, widthOf: (label: string) => label.length * 6 }
const change = (at: number, label: string): Mark => ({ at, label, kind: 'change' })

test('several changes at one time are one line with one label', () => {
  expect(placeMarks([change(300, 'a restarted'), change(301, 'b restarted'), change(302, 'c restarted')], space)).toEqual([
    { x: 300, kind: 'change', label: 'a restarted and 2 more', row: 0, side: 'right' },
  ])
})

test('changes beside each other have labels below each other, the onset stays on top', () => {
  const placed = placeMarks([change(300, 'router 4812'), { at: 310, label: 'onset', kind: 'onset' }, change(330, 'scale up')], space)
  expect(placed.map(({ label, row }) => [label, row])).toEqual([
    ['onset', 0],
    ['router 4812', 1],
    ['scale up', 2],
  ])
})

test('at the right edge a label stands on the left of its line, and what is outside is not drawn', () => {
  expect(placeMarks([change(890, 'late change'), change(950, 'outside')], space)).toEqual([
    { x: 890, kind: 'change', label: 'late change', row: 0, side: 'left' },
  ])
})

test('no two labels of a row cover each other, however many changes there are', () => {
  const marks = fc.array(
    fc.record({ at: fc.integer({ min: 100, max: 900 }), label: fc.string({ maxLength: 80 }), kind: fc.constant('change' as const) }),
  )
  fc.assert(
    fc.property(marks, (list) => {
      const spans = placeMarks(list, space).flatMap(({ x, label, row, side }) => {
        const width = space.widthOf(label)
        return row === null ? [] : [{ row, from: side === 'right' ? x : x - width, to: side === 'right' ? x + width : x }]
      })
      for (const [index, a] of spans.entries()) {
        for (const b of spans.slice(index + 1)) expect(a.row === b.row && a.from < b.to && b.from < a.to).toBe(false)
      }
    }),
    { seed: 3 },
  )
})
