// Sees the bytes of a body where the socket cannot be listened to: reads ahead of the consumer, within a bound, so that a slow one
// does not delay the stamps, and hands over the same bytes, errors and cancellations.
import { now } from '../anchored-clock.ts'
import type { ResponseHead } from '../connection-timer.ts'
import type { Exchange } from '../exchange.ts'
import { guarded } from '../guard.ts'

/** Bytes read ahead of the consumer. */
const AHEAD_BYTES = 256 * 1024

/** The same response with its body tapped. Its url, type and redirected, which a new Response would lose, stay. */
export function tapResponse(response: Response, exchange: Exchange): Response {
  if (!exchange.hasHeaders) exchange.headers(now(), headOf(response))
  if (response.body === null) {
    exchange.end()
    return response
  }
  const body = tapStream(response.body, exchange)
  const tapped = new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers })
  for (const key of ['url', 'type', 'redirected'] as const) Object.defineProperty(tapped, key, { value: response[key] })
  return tapped
}

function headOf(response: Response): ResponseHead {
  return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, seesBytes: false }
}

function tapStream(source: ReadableStream<Uint8Array>, exchange: Exchange): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  let reading = false
  async function readAhead(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (reading) return
    reading = true
    try {
      while ((controller.desiredSize ?? 0) > 0) {
        const { done, value } = await reader.read()
        const atMs = now()
        if (done) {
          guarded('body end', undefined, () => exchange.end(atMs))
          controller.close()
          return
        }
        guarded('body', undefined, () => exchange.observe(value, atMs))
        controller.enqueue(value)
      }
    } catch (error) {
      guarded('body failure', undefined, () => exchange.fail(error))
      controller.error(error)
    } finally {
      reading = false
    }
  }
  return new ReadableStream<Uint8Array>(
    {
      // Not awaited: a pull that is pending would keep the stream from asking again, and reading ahead needs no asking.
      start: (controller) => void readAhead(controller),
      pull: (controller) => void readAhead(controller),
      cancel: (reason) => {
        guarded('cancel', undefined, () => exchange.cancel())
        return reader.cancel(reason)
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: AHEAD_BYTES }),
  )
}
