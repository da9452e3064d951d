// Cuts a server-sent event stream into events without decoding it: bytes in, byte ranges out, for any split of the bytes.
// WHATWG HTML, section 9.2.6, for LF and CRLF line ends (no server of this field sends a lone CR).

const LF = 10
const CR = 13
const SPACE = 32

/** Called for each complete event that has data. The bytes stay valid: they are never written to again. */
export type EventSink = (bytes: Uint8Array, start: number, end: number) => void

export interface EventScanner {
  push(chunk: Uint8Array, sink: EventSink): void
}

/** An event longer than `limitBytes` is skipped (its arrival is reported as an empty range), so that memory stays bounded. */
export function createEventScanner(limitBytes = 1 << 20): EventScanner {
  /** Start of an event whose end has not come. */
  let parts: Uint8Array[] = []
  let partBytes = 0
  let tooLong = false
  /** The line that goes on in the next chunk: nothing yet, only a CR, or text. */
  let line: 'empty' | 'carriage' | 'text' = 'empty'

  function keep(part: Uint8Array): void {
    if (tooLong || part.length === 0) return
    partBytes += part.length
    if (partBytes > limitBytes) {
      tooLong = true
      parts = []
    } else parts.push(part)
  }

  function finishSplit(tail: Uint8Array, sink: EventSink): void {
    keep(tail)
    if (tooLong) sink(tail, 0, 0)
    else {
      const whole = parts.length === 1 ? (parts[0] as Uint8Array) : concatenate(parts, partBytes)
      emit(whole, 0, whole.length, sink)
    }
    parts = []
    partBytes = 0
    tooLong = false
  }

  return {
    push(chunk, sink) {
      let eventStart = 0
      let at = 0
      while (at < chunk.length) {
        const lineEnd = chunk.indexOf(LF, at)
        if (lineEnd === -1) break
        const length = lineEnd - at
        const blank = line === 'empty' ? length === 0 || (length === 1 && chunk[at] === CR) : line === 'carriage' && length === 0
        line = 'empty'
        at = lineEnd + 1
        // A data line is most often followed by the blank one at once: one search an event.
        const closed = blank || (chunk[at] === LF && ++at > 0)
        if (!closed) continue
        if (partBytes > 0) finishSplit(chunk.subarray(eventStart, at), sink)
        else emit(chunk, eventStart, at, sink)
        eventStart = at
      }
      if (at < chunk.length) line = line === 'empty' && chunk.length - at === 1 && chunk[at] === CR ? 'carriage' : 'text'
      if (eventStart < chunk.length) keep(chunk.subarray(eventStart))
    },
  }
}

/** Passes on events that carry data; comments (`: keep-alive`) and blank lines are none. */
function emit(bytes: Uint8Array, start: number, end: number, sink: EventSink): void {
  for (let at = start; at < end; ) {
    if (isDataLine(bytes, at)) {
      sink(bytes, start, end)
      return
    }
    const lineEnd = bytes.indexOf(LF, at)
    if (lineEnd === -1) return
    at = lineEnd + 1
  }
}

/** `data:` at this place. */
export function isDataLine(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x64 && bytes[at + 1] === 0x61 && bytes[at + 2] === 0x74 && bytes[at + 3] === 0x61 && bytes[at + 4] === 0x3a
}

const decoder = new TextDecoder()

/** The data of an event, several data lines joined by LF as the standard says. */
export function dataOf(bytes: Uint8Array, start: number, end: number): string {
  if (isDataLine(bytes, start)) {
    const lineEnd = bytes.indexOf(LF, start)
    // One data line and the blank one behind it: the common event.
    if (lineEnd + 1 >= end - 2) {
      const from = bytes[start + 5] === SPACE ? start + 6 : start + 5
      return decoder.decode(bytes.subarray(from, bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd))
    }
  }
  const lines = decoder.decode(bytes.subarray(start, end)).split(/\r?\n/)
  return lines
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(line[5] === ' ' ? 6 : 5))
    .join('\n')
}

function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
