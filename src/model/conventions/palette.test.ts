import { expect, test } from 'vitest'
import { OUTCOME_COLOURS, PHASE_COLOURS, QUANTILE_COLOURS } from './palette.ts'

/** Linear RGB as seen without green or red cones (Machado, Oliveira and Fernandes 2009, severity 1). */
const SIGHT = {
  everybody: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
} as const

type Triple = [number, number, number]

function seen(colour: string, matrix: (typeof SIGHT)[keyof typeof SIGHT]): Triple {
  const linear = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  const rows: readonly (readonly number[])[] = matrix
  return rows.map((row) =>
    Math.max(
      0,
      row.reduce((sum, weight, index) => sum + weight * (linear[index] ?? 0), 0),
    ),
  ) as Triple
}

/** Oklab (Ottosson 2020): distances that look alike are alike. */
function oklab([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ]
}

/** Pairs that are nearer than `any`, or, one above the other in a stack, nearer than `adjacent`. */
function alike(colours: Record<string, string>, matrix: (typeof SIGHT)[keyof typeof SIGHT], limits: { any: number; adjacent: number }) {
  const points = Object.entries(colours).map(([name, colour]) => ({ name, at: oklab(seen(colour, matrix)) }))
  return points.flatMap((left, index) =>
    points.slice(index + 1).flatMap((right, gap) => {
      const distance = Math.hypot(...left.at.map((value, axis) => value - (right.at[axis] as number)))
      return distance < (gap === 0 ? limits.adjacent : limits.any) ? [`${left.name} and ${right.name}: ${distance.toFixed(3)}`] : []
    }),
  )
}

const LIMITS = { any: 0.03, adjacent: 0.05 }

test.each(Object.entries(SIGHT))('colours that stand beside each other are told apart: %s', (_who, matrix) => {
  for (const colours of [PHASE_COLOURS, OUTCOME_COLOURS, QUANTILE_COLOURS]) expect(alike(colours, matrix, LIMITS)).toEqual([])
})

test('an orange and a vermilion of the same lightness are alike without green cones', () => {
  expect(alike({ queue: '#C2780C', prefill: '#D55E00' }, SIGHT.everybody, LIMITS)).toEqual([])
  expect(alike({ queue: '#C2780C', prefill: '#D55E00' }, SIGHT.deuteranopia, LIMITS)).toHaveLength(1)
})
