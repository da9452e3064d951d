// Watches a server-sent event stream go by: where events end, how many carry data, when tokens come. Fed with every read after it was
// forwarded; works at any split, with LF, CRLF and CR (WHATWG HTML 9.2.6), and keeps at most MAX_EVENT_BYTES of an unfinished event.
import { Delta, type DeltaMarker, matchDelta } from './delta.ts'

/** An event longer than this is judged by what its parts show. */
export const MAX_EVENT_BYTES = 65_536

const LF = 0x0a
const CR = 0x0d
const BLANK_LINE = Buffer.from('\n\n')
const DATA_LINE = [Buffer.from('\ndata'), Buffer.from('\rdata')]
const DONE = Buffer.from('[DONE]')
const EMPTY = Buffer.alloc(0)

export class SseScanner {
  /** Data events that ended so far, `[DONE]` not among them. */
  events = 0
  /** Events from the first token to the last, both included. */
  chunks = 0
  /** `data: [DONE]` was seen. */
  done = false
  /** Data events in the last read; 0 for one that only held comments or the middle of an event. */
  lastReadEvents = 0

  #firstTokenEvent = 0
  #marker: DeltaMarker | null = null
  #answered = false
  #started = false
  /** The unfinished event, and how far it was searched for its end. */
  #held: Buffer = EMPTY
  #heldLength = 0
  #searched = 0
  /** Parts of an oversized event that are no longer held. */
  #oversizedKinds = 0
  #oversizedData = false
  #lineIsEmpty = true
  #previousCr = false
  #usesCr = false

  /** One read; returns the kinds of deltas (bits of Delta) in the events that ended with it. */
  push(read: Uint8Array): number {
    let buffer = read instanceof Buffer ? read : Buffer.from(read.buffer, read.byteOffset, read.byteLength)
    if (!this.#started && buffer.length > 0) {
      this.#started = true
      if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) buffer = buffer.subarray(3)
    }
    if (!this.#usesCr && buffer.indexOf(CR) !== -1) this.#switchToCr()
    this.lastReadEvents = 0
    if (this.#heldLength === 0) return this.#scan(buffer, false)
    this.#hold(buffer)
    return this.#scan(this.#held.subarray(0, this.#heldLength), true)
  }

  /** The stream is over: judges an event that lacks its final blank line. */
  end(): number {
    if (this.#heldLength === 0) return Delta.none
    const kinds = this.#judge(this.#held.subarray(0, this.#heldLength), 0, this.#heldLength)
    this.#heldLength = 0
    return kinds
  }

  #scan(buffer: Buffer, isHeld: boolean): number {
    let kinds = 0
    let start = 0
    let end = this.#nextEnd(buffer, 0)
    while (end !== -1) {
      kinds |= this.#judge(buffer, start, end)
      start = end
      end = this.#nextEnd(buffer, start)
    }
    if (isHeld) this.#keepFrom(start)
    else if (start < buffer.length) this.#hold(buffer.subarray(start))
    if (this.#heldLength > MAX_EVENT_BYTES) this.#letGo()
    return kinds
  }

  /** End of the event that begins at `start` (behind its blank line), or -1; then `#searched` says from where to go on. */
  #nextEnd(buffer: Buffer, start: number): number {
    if (this.#usesCr) return this.#nextEndWithCr(buffer, start)
    const from = Math.max(start, this.#searched)
    const at = buffer.indexOf(BLANK_LINE, from)
    this.#searched = at === -1 ? Math.max(0, buffer.length - 1 - start) : 0
    return at === -1 ? -1 : at + 2
  }

  #nextEndWithCr(buffer: Buffer, start: number): number {
    for (let at = Math.max(start, start + this.#searched); at < buffer.length; at++) {
      const byte = buffer[at]
      const secondOfPair = byte === LF && this.#previousCr
      this.#previousCr = byte === CR
      if (secondOfPair) continue
      if (byte !== LF && byte !== CR) this.#lineIsEmpty = false
      else if (this.#lineIsEmpty) {
        this.#searched = 0
        if (byte !== CR || buffer[at + 1] !== LF) return at + 1
        this.#previousCr = false
        return at + 2
      } else this.#lineIsEmpty = true
    }
    this.#searched = buffer.length - start
    return -1
  }

  /** From now on bytes are looked at one by one; the unfinished event is searched again from its begin. */
  #switchToCr(): void {
    this.#usesCr = true
    this.#searched = 0
    this.#lineIsEmpty = true
  }

  #hold(bytes: Buffer): void {
    const needed = this.#heldLength + bytes.length
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(1024, needed * 2))
      this.#held.copy(grown, 0, 0, this.#heldLength)
      this.#held = grown
    }
    bytes.copy(this.#held, this.#heldLength)
    this.#heldLength = needed
  }

  #keepFrom(start: number): void {
    if (start > 0) this.#held.copyWithin(0, start, this.#heldLength)
    this.#heldLength -= start
    if (this.#heldLength === 0) this.#held = EMPTY
  }

  /** An oversized event: remember what was seen of it, keep one byte for a blank line that straddles. */
  #letGo(): void {
    const part = this.#held.subarray(0, this.#heldLength)
    this.#oversizedKinds |= matchDelta(part, 0, part.length).kinds
    this.#oversizedData ||= holdsData(part, 0, part.length)
    this.#held.copyWithin(0, part.length - 1, part.length)
    this.#heldLength = 1
    this.#searched = this.#usesCr ? 1 : 0
  }

  /** Kinds of deltas in one event; counts it. */
  #judge(buffer: Buffer, start: number, end: number): number {
    const isData = this.#oversizedData || holdsData(buffer, start, end)
    if (!isData) return Delta.none
    if (isDone(buffer, start, end)) {
      this.done = true
      return Delta.none
    }
    this.events++
    this.lastReadEvents++
    const kinds = this.#oversizedKinds | this.#kindsOf(buffer, start, end)
    this.#oversizedKinds = 0
    this.#oversizedData = false
    if (kinds !== Delta.none) {
      if (this.chunks === 0) this.#firstTokenEvent = this.events
      this.chunks = this.events - this.#firstTokenEvent + 1
      if (kinds & (Delta.answer | Delta.tool)) this.#answered = true
    }
    return kinds
  }

  #kindsOf(buffer: Buffer, start: number, end: number): number {
    // Until the answer has begun every event is looked at in full, so that its first delta is not hidden by the reasoning's marker.
    if (this.#answered && this.#marker !== null) {
      const { bytes, kind } = this.#marker
      const textAt = buffer.indexOf(bytes, start) + bytes.length
      if (textAt >= bytes.length + start && textAt < end && buffer[textAt] !== 0x22) return kind
    }
    const { kinds, marker } = matchDelta(buffer, start, end)
    if (marker !== null) this.#marker = marker
    return kinds
  }
}

function firstByte(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && (buffer[at] === LF || buffer[at] === CR)) at++
  return at
}

/** A `data` line is in the event; lines of comments, names and ids alone are none. */
function holdsData(buffer: Buffer, start: number, end: number): boolean {
  const at = firstByte(buffer, start, end)
  if (buffer[at] === 0x64 && buffer[at + 1] === 0x61 && buffer[at + 2] === 0x74 && buffer[at + 3] === 0x61 && at + 4 <= end) return true
  return DATA_LINE.some((line) => {
    const found = buffer.indexOf(line, at)
    return found !== -1 && found + line.length <= end
  })
}

function isDone(buffer: Buffer, start: number, end: number): boolean {
  const at = firstByte(buffer, start, end) + 5
  const valueAt = buffer[at] === 0x20 ? at + 1 : at
  return buffer[valueAt] === DONE[0] && valueAt + DONE.length <= end && DONE.equals(buffer.subarray(valueAt, valueAt + DONE.length))
}
