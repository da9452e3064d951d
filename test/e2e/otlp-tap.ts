// Stands between the engine and the sidecar's OTLP receiver: keeps the engine's spans as the truth that records are held against,
// and passes each body on as it came, or with every stamp shifted, as if the engine's host had another clock. Without a target it is where
// spans end.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import type { Span } from '@longpole/model/span'
import { decodeTraces } from '../../src/wire/otlp/decode.ts'
import { encodeTraces } from '../../src/wire/otlp/encode.ts'

export interface OtlpTap {
  port: number
  spans: Span[]
  /** Seconds added to the stamps of what comes from now on. */
  setShift(seconds: number): void
  close(): Promise<void>
}

export async function startOtlpTap(port: number, target: string | null): Promise<OtlpTap> {
  const spans: Span[] = []
  let shift = 0n
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const sent = Buffer.concat(parts)
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
    let forwarded: Uint8Array = body
    if (request.url === '/v1/traces') {
      const decoded = decodeTraces(body).spans
      spans.push(...decoded)
      if (shift !== 0n) forwarded = encodeTraces(decoded.map((span) => shifted(span, shift)))
    }
    const headers = { 'content-type': request.headers['content-type'] ?? 'application/x-protobuf' }
    if (target === null) {
      response.writeHead(200, { 'content-type': headers['content-type'] }).end()
      return
    }
    const answer = await fetch(new URL(request.url ?? '/', target), { method: 'POST', headers, body: new Uint8Array(forwarded) }).catch(
      () => null,
    )
    response.writeHead(answer?.status ?? 503, { 'content-type': answer?.headers.get('content-type') ?? 'text/plain' })
    response.end(answer === null ? '' : new Uint8Array(await answer.arrayBuffer()))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    spans,
    setShift(seconds) {
      shift = BigInt(Math.round(seconds * 1e9))
    },
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function shifted(span: Span, by: bigint): Span {
  return {
    ...span,
    startUnixNano: span.startUnixNano + by,
    endUnixNano: span.endUnixNano + by,
    events: span.events.map((event) => ({ ...event, timeUnixNano: event.timeUnixNano + by })),
  }
}
