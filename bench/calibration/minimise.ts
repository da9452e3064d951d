// Nelder and Mead's downhill simplex (Computer Journal 7, 1965): enough for five parameters and a function that is no smooth one.

export function minimise(start: readonly number[], cost: (point: readonly number[]) => number, rounds: number, spread = 0.25): number[] {
  const size = start.length
  const evaluate = (point: number[]) => ({ point, cost: cost(point) })
  let simplex = [evaluate([...start])]
  for (let axis = 0; axis < size; axis++) simplex.push(evaluate(start.map((value, index) => value + (index === axis ? spread : 0))))
  for (let round = 0; round < rounds; round++) {
    simplex.sort((a, b) => a.cost - b.cost)
    const worst = simplex[size] as { point: number[]; cost: number }
    const centre = start.map((_, axis) => simplex.slice(0, size).reduce((sum, { point }) => sum + (point[axis] as number), 0) / size)
    const along = (factor: number) => evaluate(centre.map((value, axis) => value + factor * (value - (worst.point[axis] as number))))
    const reflected = along(1)
    const best = simplex[0] as { cost: number; point: number[] }
    if (reflected.cost < best.cost) {
      const expanded = along(2)
      simplex[size] = expanded.cost < reflected.cost ? expanded : reflected
    } else if (reflected.cost < (simplex[size - 1] as { cost: number }).cost) simplex[size] = reflected
    else {
      const contracted = along(-0.5)
      if (contracted.cost < worst.cost) simplex[size] = contracted
      else simplex = simplex.map(({ point }) => evaluate(point.map((value, axis) => (value + (best.point[axis] as number)) / 2)))
    }
  }
  simplex.sort((a, b) => a.cost - b.cost)
  return (simplex[0] as { point: number[] }).point
}
