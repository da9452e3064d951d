// Remembers whether the store took the last spans, so that readiness says why senders are refused, and until when: the next insert that
// works ends it.
import type { Store } from '../store/store.ts'

/** The same store, and what hinders it from taking spans; empty when nothing does. `place` is its directory or address. */
export function watchStore(store: Store, place: string): { store: Store; troubles(): string[] } {
  let trouble: string | null = null
  return {
    store: {
      ...store,
      async insertSpans(spans) {
        try {
          await store.insertSpans(spans)
          trouble = null
        } catch (error) {
          trouble = describe((error as Error).message, place)
          throw error
        }
      },
    },
    troubles: () => (trouble === null ? [] : [trouble]),
  }
}

function describe(message: string, place: string): string {
  const isFull = /ENOSPC|no space left|NOT_ENOUGH_SPACE/i.test(message)
  const cause = isFull ? `no space left in ${place} (store.data)` : `the store in ${place} does not take spans (${message.trim()})`
  return `${cause}: senders are refused and come again until it does`
}
