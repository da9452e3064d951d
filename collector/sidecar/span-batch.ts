// Collects our own spans into OTLP bodies: sent on when there are enough of them, or when the first has waited long enough.
import { gzipSync } from 'node:zlib'
import type { Span } from '@longpole/model/span'
import { encodeTraces } from '../../src/wire/otlp/encode.ts'
import type { OtlpBody } from '../exporters/otlp/post.ts'

const MAX_SPANS = 512
const MAX_WAIT_MS = 1_000

export const PROTOBUF = 'application/x-protobuf'

export interface SpanBatch {
  add(spans: readonly Span[]): void
  /** Sends what is there. */
  flush(): void
}

export function createSpanBatch(send: (body: OtlpBody, spans: number) => void): SpanBatch {
  let waiting: Span[] = []
  let timer: NodeJS.Timeout | null = null
  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (waiting.length === 0) return
    const spans = waiting
    waiting = []
    send(compressed(encodeTraces(spans)), spans.length)
  }
  return {
    add(spans) {
      waiting.push(...spans)
      if (waiting.length >= MAX_SPANS) flush()
      else timer ??= setTimeout(flush, MAX_WAIT_MS)
    },
    flush,
  }
}

/** A protobuf body, compressed fast rather than small. */
export function compressed(bytes: Uint8Array): OtlpBody {
  return { bytes: gzipSync(bytes, { level: 1 }), contentType: PROTOBUF, contentEncoding: 'gzip' }
}
