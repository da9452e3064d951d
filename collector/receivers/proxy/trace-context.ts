// W3C Trace Context at the proxy: who the caller is, and the ids we add. https://www.w3.org/TR/trace-context-2/
export interface TraceContext {
  traceId: string
  parentSpanId: string
  flags: number
}

export type RandomBytes = (size: number) => Buffer

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/
const SAMPLED = 1

/** Null for anything that a receiver must treat as absent: malformed, zero ids, version ff, trailing text in version 00. */
export function parseTraceparent(value: string): TraceContext | null {
  const match = TRACEPARENT.exec(value)
  if (match === null) return null
  const [, version, traceId, parentSpanId, flags] = match as unknown as [string, string, string, string, string]
  if (version === 'ff' || (version === '00' && value.length !== 55)) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(parentSpanId)) return null
  return { traceId, parentSpanId, flags: Number.parseInt(flags, 16) }
}

export function formatTraceparent(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`
}

export interface IdSource {
  newTrace(): TraceContext
  newSpanId(): string
  newRequestId(): string
}

/** Ids from bytes drawn in blocks: one draw for hundreds of ids costs a hundredth of a draw for each. */
export function createIdSource(randomBytes: RandomBytes): IdSource {
  let block: Buffer = Buffer.alloc(0)
  let at = 0
  function take(size: number): string {
    if (at + size > block.length) {
      block = randomBytes(4096)
      at = 0
    }
    const text = block.toString('hex', at, at + size)
    at += size
    return /^0+$/.test(text) ? take(size) : text
  }
  return {
    newTrace: () => ({ traceId: take(16), parentSpanId: '', flags: SAMPLED }),
    newSpanId: () => take(8),
    // RFC 9562 version 4.
    newRequestId: () => {
      const hex = take(16)
      const variant = ((Number.parseInt(hex[16] as string, 16) & 3) | 8).toString(16)
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
    },
  }
}
