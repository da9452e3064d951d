// Collects our own spans into OTLP bodies: sent on when there are enough of them, or when the first has waited long enough. The work is
// done in small pieces: where both threads share a core, a long one would be felt by the streams.
import { gzipSync } from 'node:zlib'
import type { Span } from '@longpole/model/span'
import { encodeTraces } from '../../src/wire/otlp/encode.ts'
import type { OtlpBody } from '../exporters/otlp/post.ts'

const SPANS_OF_A_BODY = 128
/** Spans encoded at once. Concatenated requests are one request: their only field is repeated. */
const SPANS_OF_A_PIECE = 32
const MAX_WAIT_MS = 1_000

export const PROTOBUF = 'application/x-protobuf'

export interface SpanBatch {
  add(spans: readonly Span[]): void
  /** Sends what is there. */
  flush(): void
}

export function createSpanBatch(send: (body: OtlpBody, spans: number) => void): SpanBatch {
  let waiting: Span[] = []
  let pieces: Uint8Array[] = []
  let encoded = 0
  let timer: NodeJS.Timeout | null = null

  function encode(): void {
    pieces.push(encodeTraces(waiting))
    encoded += waiting.length
    waiting = []
  }
  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (waiting.length > 0) encode()
    if (encoded === 0) return
    const body = compressed(Buffer.concat(pieces))
    const spans = encoded
    pieces = []
    encoded = 0
    send(body, spans)
  }
  return {
    add(spans) {
      waiting.push(...spans)
      if (waiting.length >= SPANS_OF_A_PIECE) encode()
      if (encoded >= SPANS_OF_A_BODY) flush()
      else timer ??= setTimeout(flush, MAX_WAIT_MS)
    },
    flush,
  }
}

/** A protobuf body, compressed fast rather than small. */
export function compressed(bytes: Uint8Array): OtlpBody {
  return { bytes: gzipSync(bytes, { level: 1 }), contentType: PROTOBUF, contentEncoding: 'gzip' }
}
