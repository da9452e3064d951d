// Isotonic regression by pool adjacent violators (Ayer et al. 1955): the knots of the confidence map. Every pool starts with one right
// and one wrong pseudo-answer in twenty, so that no probability is 0 or 1.

export function isotonic(pairs: readonly { clarity: number; right: boolean }[]): [number, number][] {
  const sorted = [...pairs].sort((left, right) => left.clarity - right.clarity)
  const pools: { from: number; to: number; right: number; count: number }[] = []
  for (const { clarity, right } of sorted) {
    pools.push({ from: clarity, to: clarity, right: right ? 1 : 0, count: 1 })
    for (;;) {
      const last = pools.at(-1)
      const before = pools.at(-2)
      if (last === undefined || before === undefined || before.right / before.count < last.right / last.count) break
      pools.splice(-2, 2, { from: before.from, to: last.to, right: before.right + last.right, count: before.count + last.count })
    }
  }
  return pools.map((pool) => [(pool.from + pool.to) / 2, (pool.right + 0.5) / (pool.count + 1)])
}
