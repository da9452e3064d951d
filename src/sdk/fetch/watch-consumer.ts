// Measures the caller's own time between reads of a body, and when it has read the body to its end. Only the methods of this one stream
// object are wrapped: it is neither locked nor replaced.
import { now } from '../anchored-clock.ts'
import { guarded } from '../guard.ts'

/** `consumeMs`: from each piece handed over to the next one asked for, summed. Called once. */
export type ConsumerDone = (consumeMs: number, endMs: number) => void

type Method = (this: unknown, ...args: unknown[]) => unknown
type Methods = Record<PropertyKey, Method | undefined>

/** Returns a function that ends the watch early. */
export function watchConsumer(body: ReadableStream<Uint8Array>, done: ConsumerDone): () => void {
  let handedOverMs: number | undefined = now()
  let consumeMs = 0
  let over = false

  const finish = (): void => {
    if (over) return
    over = true
    done(consumeMs, now())
  }
  const asked = (): void => {
    if (handedOverMs !== undefined) consumeMs += now() - handedOverMs
    handedOverMs = undefined
  }
  const answered = (result: unknown): void => {
    if ((result as { done?: boolean } | undefined)?.done === true) finish()
    else handedOverMs = now()
  }
  const timed = (target: object, name: 'read' | 'next'): void => {
    wrap(target as Methods, name, (call) => {
      guarded('read', undefined, asked)
      const result = call() as Promise<unknown>
      result.then(
        (value) => guarded('read', undefined, () => answered(value)),
        () => guarded('read', undefined, finish),
      )
      return result
    })
  }
  const last = (target: object, name: PropertyKey): void => {
    wrap(target as Methods, name, (call) => {
      guarded('consumer', undefined, () => {
        asked()
        finish()
      })
      return call()
    })
  }

  wrap(body as unknown as Methods, 'getReader', (call) => {
    const reader = call() as object
    timed(reader, 'read')
    last(reader, 'cancel')
    return reader
  })
  for (const name of ['values', Symbol.asyncIterator]) {
    wrap(body as unknown as Methods, name, (call) => {
      const iterator = call() as object
      timed(iterator, 'next')
      last(iterator, 'return')
      return iterator
    })
  }
  // Where the body goes on without us, reading can no longer be seen: the request ends with its last byte.
  for (const name of ['tee', 'pipeTo', 'pipeThrough', 'cancel']) last(body, name)
  return finish
}

function wrap(target: Methods, name: PropertyKey, around: (call: () => unknown) => unknown): void {
  const original = target[name]
  if (typeof original !== 'function') return
  const value = function (this: unknown, ...args: unknown[]): unknown {
    return around(() => Reflect.apply(original, this, args))
  }
  Object.defineProperty(target, name, { value, configurable: true, writable: true })
}
