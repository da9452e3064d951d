// A robust linear scale of a duration in the workload: s(x) = a + Σ b_j·x_j, all coefficients ≥ 0.
// Source: prefill time is linear in uncached tokens, decode time in output tokens (Splitwise, DistServe, Vidur); the fit is weighted
// least squares with weights 1/(s·max(s, |y − s|)): relative errors, and least absolute deviations by iterative reweighting.

export interface LinearScale {
  /** Seconds at x = 0, then seconds per unit of each covariate. */
  coefficients: Float64Array
  /** Smallest scale that is ever returned: a fifth of the median of y. */
  floor: number
}

const ROUNDS = 8

/** `x` holds one array per covariate, aligned with `y`. All values finite, y ≥ 0. */
export function fitLinearScale(y: Float64Array, x: readonly Float64Array[]): LinearScale {
  const median = medianOf(y)
  const floor = Math.max(median / 5, 1e-9)
  const width = x.length + 1
  let active = Array.from({ length: width }, (_, index) => index)
  let coefficients = new Float64Array(width)
  coefficients[0] = Math.max(median, 1e-9)
  for (let round = 0; round < ROUNDS; round++) {
    let next = solveWeighted(y, x, active, coefficients, floor)
    while (next.some((value, index) => value < 0 && active.includes(index))) {
      active = active.filter((index) => (next[index] as number) >= 0)
      if (active.length === 0) return { coefficients: Float64Array.of(median, ...x.map(() => 0)), floor }
      next = solveWeighted(y, x, active, coefficients, floor)
    }
    coefficients = next
  }
  return { coefficients, floor }
}

export function scaleAt(scale: LinearScale, x: readonly Float64Array[], row: number): number {
  let sum = scale.coefficients[0] as number
  for (let index = 0; index < x.length; index++)
    sum += (scale.coefficients[index + 1] as number) * ((x[index] as Float64Array)[row] as number)
  return Math.max(sum, scale.floor)
}

function solveWeighted(
  y: Float64Array,
  x: readonly Float64Array[],
  active: readonly number[],
  previous: Float64Array,
  floor: number,
): Float64Array<ArrayBuffer> {
  const size = active.length
  const normal = Array.from({ length: size }, () => new Float64Array(size + 1))
  const features = new Float64Array(size)
  for (let row = 0; row < y.length; row++) {
    const scale = scaleAt({ coefficients: previous, floor }, x, row)
    const value = y[row] as number
    const weight = 1 / (scale * Math.max(scale * 0.1, Math.abs(value - scale)))
    for (let index = 0; index < size; index++) {
      const feature = active[index] as number
      features[index] = feature === 0 ? 1 : ((x[feature - 1] as Float64Array)[row] as number)
    }
    for (let i = 0; i < size; i++) {
      const line = normal[i] as Float64Array
      const weighted = weight * (features[i] as number)
      for (let j = 0; j < size; j++) line[j] = (line[j] as number) + weighted * (features[j] as number)
      line[size] = (line[size] as number) + weighted * value
    }
  }
  const solution = solveLinear(normal)
  const result = new Float64Array(x.length + 1)
  for (let index = 0; index < size; index++) result[active[index] as number] = solution[index] as number
  return result
}

/** Gauss-Jordan with pivoting on an augmented matrix; a singular column gets 0. */
function solveLinear(matrix: Float64Array[]): Float64Array {
  const size = matrix.length
  const scale = matrix.map((line, index) => Math.max(Math.abs(line[index] as number), 1e-300))
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let row = column + 1; row < size; row++) {
      const best = Math.abs((matrix[pivot] as Float64Array)[column] as number) / (scale[pivot] as number)
      if (Math.abs((matrix[row] as Float64Array)[column] as number) / (scale[row] as number) > best) pivot = row
    }
    const swap = matrix[column] as Float64Array
    matrix[column] = matrix[pivot] as Float64Array
    matrix[pivot] = swap
    const line = matrix[column] as Float64Array
    if (Math.abs(line[column] as number) < 1e-9 * (scale[column] as number)) {
      line.fill(0)
      line[column] = 1
    }
    for (let row = 0; row < size; row++) {
      if (row === column) continue
      const target = matrix[row] as Float64Array
      const factor = (target[column] as number) / (line[column] as number)
      for (let index = column; index <= size; index++) target[index] = (target[index] as number) - factor * (line[index] as number)
    }
  }
  return Float64Array.from(matrix, (line, index) => (line[size] as number) / (line[index] as number))
}

export function medianOf(values: Float64Array): number {
  if (values.length === 0) return 0
  const sorted = Float64Array.from(values).sort()
  return sorted[sorted.length >> 1] as number
}
