// Longest step over any stretch of an engine's life: a stack that falls in seconds as its step index grows, searched from the start
// of a request's decoding. Gives every request its longest inter-token gap without work per token.

export class GapRecord {
  private readonly steps: number[] = []
  private readonly seconds: number[] = []

  /** Steps up to and including `step` took `seconds` at most, since the last call. */
  push(step: number, seconds: number): void {
    while (this.seconds.length > 0 && (this.seconds[this.seconds.length - 1] as number) <= seconds) {
      this.seconds.pop()
      this.steps.pop()
    }
    this.steps.push(step)
    this.seconds.push(seconds)
  }

  /** Longest step after step index `from`. */
  longestAfter(from: number): number {
    let low = 0
    let high = this.steps.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.steps[middle] as number) > from) high = middle
      else low = middle + 1
    }
    return low < this.seconds.length ? (this.seconds[low] as number) : 0
  }
}
