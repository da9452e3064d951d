// Seeded draws for the generators.

export interface Random {
  next(): number
  normal(): number
  exponential(): number
  /** Index drawn by cumulative weights that end at 1. */
  pick(cumulative: readonly number[]): number
  integer(below: number): number
}

export function createRandom(seed: number): Random {
  let state = (seed * 2654435761) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return {
    next,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    exponential: () => -Math.log(1 - next()),
    pick(cumulative) {
      const at = next()
      let low = 0
      let high = cumulative.length - 1
      while (low < high) {
        const middle = (low + high) >> 1
        if ((cumulative[middle] as number) > at) high = middle
        else low = middle + 1
      }
      return low
    },
    integer: (below) => Math.floor(next() * below),
  }
}

export function cumulate(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let sum = 0
  return weights.map((weight) => {
    sum += weight / total
    return sum
  })
}

/** Zipf-like weights. */
export function zipf(count: number, exponent = 1): number[] {
  return Array.from({ length: count }, (_, index) => 1 / (index + 1) ** exponent)
}
