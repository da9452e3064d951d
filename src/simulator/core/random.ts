// Randomness as a pure function of a seed and a few integers, so that a run with a fault and the same run without it draw the same
// numbers for the same request (common random numbers). Only +, *, sqrt, log and exp are used, and no power with a
// broken exponent: equal bytes on Node 22, 24 and 26.

/** Mixes integers to 32 bits (the finalizer of MurmurHash3, applied per argument). */
export function hash(seed: number, a: number, b = 0): number {
  let h = seed | 0
  h = mix(h ^ (a | 0))
  // Numbers above 32 bits keep their upper part.
  h = mix(h ^ ((a / 4294967296) | 0) ^ 0x9e3779b9)
  return mix(h ^ (b | 0)) >>> 0
}

function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}

/** Hash of a text, for seeds made from names (FNV-1a). */
export function hashText(seed: number, text: string): number {
  let h = (0x811c9dc5 ^ seed) | 0
  for (let index = 0; index < text.length; index++) h = Math.imul(h ^ text.charCodeAt(index), 0x01000193)
  return mix(h) >>> 0
}

/** Uniform in (0, 1), never 0 and never 1. */
export function uniform(seed: number, a: number, b = 0): number {
  return (hash(seed, a, b) + 0.5) / 4294967296
}

/** Standard normal by the inverse of the distribution function (Acklam's approximation, relative error below 1.2e-9). */
export function normal(seed: number, a: number, b = 0): number {
  return inverseNormal(uniform(seed, a, b))
}

const A = [-3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1, 2.506628277459239]
const B = [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1]
const C = [-7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783]
const D = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416]

export function inverseNormal(p: number): number {
  if (p < 0.02425) return tail(Math.sqrt(-2 * Math.log(p)))
  if (p > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - p)))
  const q = p - 0.5
  const r = q * q
  const numerator = ((((A[0]! * r + A[1]!) * r + A[2]!) * r + A[3]!) * r + A[4]!) * r + A[5]!
  const denominator = ((((B[0]! * r + B[1]!) * r + B[2]!) * r + B[3]!) * r + B[4]!) * r + 1
  return (numerator * q) / denominator
}

function tail(q: number): number {
  const numerator = ((((C[0]! * q + C[1]!) * q + C[2]!) * q + C[3]!) * q + C[4]!) * q + C[5]!
  return numerator / ((((D[0]! * q + D[1]!) * q + D[2]!) * q + D[3]!) * q + 1)
}

/** Log-normal by its median and the standard deviation of its logarithm. */
export function logNormal(median: number, sigma: number, seed: number, a: number, b = 0): number {
  return median * Math.exp(sigma * normal(seed, a, b))
}

/** There is nothing of the kind that was to be drawn. */
export class NothingToPick extends RangeError {
  override readonly name = 'NothingToPick'
}

/** A stream of draws for setting things up (names, fleets, tenants), where order is fixed. */
export class RandomStream {
  private readonly seed: number
  private count = 0

  constructor(seed: number, purpose: string) {
    this.seed = hashText(seed, purpose)
  }

  uniform(): number {
    return uniform(this.seed, this.count++)
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform()
  }

  integer(limit: number): number {
    return Math.floor(this.uniform() * limit)
  }

  normal(): number {
    return inverseNormal(this.uniform())
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new NothingToPick('nothing to pick from')
    return items[this.integer(items.length)] as T
  }

  /** Fisher-Yates, on a copy. */
  shuffle<T>(items: readonly T[]): T[] {
    const copy = [...items]
    for (let index = copy.length - 1; index > 0; index--) {
      const other = this.integer(index + 1)
      const held = copy[index] as T
      copy[index] = copy[other] as T
      copy[other] = held
    }
    return copy
  }

  /** `length` characters of Kubernetes' safe alphabet. */
  suffix(length: number): string {
    let text = ''
    for (let index = 0; index < length; index++) text += SAFE[this.integer(SAFE.length)]
    return text
  }
}

const SAFE = 'bcdfghjklmnpqrstvwxz2456789'
