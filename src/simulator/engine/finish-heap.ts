// Which sequence of an engine ends next, by step index. Entries of sequences that were preempted or aborted stay and are skipped.
import type { SimRequest } from '../core/request.ts'

export class FinishHeap {
  private readonly keys: number[] = []
  private readonly items: SimRequest[] = []

  push(request: SimRequest): void {
    const { keys, items } = this
    const key = request.finishStep
    let index = keys.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      if ((keys[parent] as number) <= key) break
      keys[index] = keys[parent] as number
      items[index] = items[parent] as SimRequest
      index = parent
    }
    keys[index] = key
    items[index] = request
  }

  /** Step at which the next sequence ends, Infinity when none decodes. */
  nextStep(): number {
    while (this.keys.length > 0) {
      const key = this.keys[0] as number
      if (this.isLive(this.items[0] as SimRequest, key)) return key
      this.pop()
    }
    return Number.POSITIVE_INFINITY
  }

  /** The sequence that ends at or before `step`, or undefined. */
  take(step: number): SimRequest | undefined {
    return this.nextStep() <= step ? this.pop() : undefined
  }

  clear(): void {
    this.keys.length = 0
    this.items.length = 0
  }

  private isLive(request: SimRequest, key: number): boolean {
    return request.state === 'decoding' && request.finishStep === key
  }

  private pop(): SimRequest {
    const { keys, items } = this
    const top = items[0] as SimRequest
    const key = keys.pop() as number
    const item = items.pop() as SimRequest
    const size = keys.length
    let index = 0
    if (size > 0) {
      for (;;) {
        let child = 2 * index + 1
        if (child >= size) break
        if (child + 1 < size && (keys[child + 1] as number) < (keys[child] as number)) child++
        if ((keys[child] as number) >= key) break
        keys[index] = keys[child] as number
        items[index] = items[child] as SimRequest
        index = child
      }
      keys[index] = key
      items[index] = item
    }
    return top
  }
}
