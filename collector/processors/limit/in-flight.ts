// How much may be in work at once. A body is counted before it is read, so that memory is bounded whatever senders do; beyond the
// limit they are told to come again.

export interface InFlight {
  /** False where there is no room: nothing was counted then. */
  take(bytes: number): boolean
  give(bytes: number): void
  bytes(): number
}

export function createInFlight(limitBytes: number): InFlight {
  let inWork = 0
  return {
    take(bytes) {
      if (inWork + bytes > limitBytes) return false
      inWork += bytes
      return true
    },
    give(bytes) {
      inWork -= bytes
    },
    bytes: () => inWork,
  }
}
