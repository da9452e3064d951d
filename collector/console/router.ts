// Where the reader is: path below the page's base (any prefix), and query parameters that hold all state of a view.
import { useSyncExternalStore } from 'react'

const BASE = new URL(document.baseURI).pathname.replace(/\/$/, '')

export interface Place {
  /** Segments of the path below the base, decoded. */
  segments: string[]
  query: URLSearchParams
}

/** An address that was cut off in the middle of a character is shown as it is: there is nothing at it, and the page says so. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

let current = read()

function read(): Place {
  const path = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : location.pathname
  return { segments: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(location.search) }
}

const listeners = new Set<() => void>()
function changed(): void {
  current = read()
  for (const listener of listeners) listener()
}
addEventListener('popstate', changed)

/** Address of a place, prefix included: for href, so that every link can be opened in a new tab or pasted. */
export function href(path: string, query?: Record<string, string | null | undefined>): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) if (value !== null && value !== undefined && value !== '') search.set(key, value)
  const text = search.toString()
  return `${BASE}${path}${text === '' ? '' : `?${text}`}`
}

export function go(address: string, replace = false): void {
  if (address === location.pathname + location.search) return
  if (replace) history.replaceState(null, '', address)
  else {
    history.pushState(null, '', address)
    scrollTo(0, 0)
  }
  changed()
}

/** Changes query parameters of the present place; null removes. */
export function setQuery(changes: Record<string, string | null>, replace = true): void {
  const query = new URLSearchParams(current.query)
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(key)
    else query.set(key, value)
  }
  const text = query.toString()
  go(`${location.pathname}${text === '' ? '' : `?${text}`}`, replace)
}

export function usePlace(): Place {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => current,
  )
}

/** Follows links inside the page without loading it again; leaves modified clicks and foreign links to the browser. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const anchor = (event.target as Element | null)?.closest?.('a')
  if (!anchor || anchor.target || anchor.hasAttribute('download') || anchor.origin !== location.origin) return
  if (!anchor.pathname.startsWith(BASE) || anchor.pathname.includes('/api/')) return
  event.preventDefault()
  go(anchor.pathname + anchor.search)
}
