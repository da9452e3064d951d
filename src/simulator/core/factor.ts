// A knob that several faults may turn at once: the product of what each of them says, 1 when nobody says anything.

export class Factor {
  value = 1
  private readonly parts = new Map<string, number>()

  /** Replaces what `source` says; 1 takes it back. */
  set(source: string, factor: number): void {
    if (factor === 1) this.parts.delete(source)
    else this.parts.set(source, factor)
    let product = 1
    for (const part of this.parts.values()) product *= part
    this.value = product
  }
}

/** The same for what adds up, 0 when nobody says anything: seconds, probabilities. */
export class Addend {
  value = 0
  private readonly parts = new Map<string, number>()

  set(source: string, amount: number): void {
    if (amount === 0) this.parts.delete(source)
    else this.parts.set(source, amount)
    let sum = 0
    for (const part of this.parts.values()) sum += part
    this.value = sum
  }
}
