// The hub's API from the browser. Everything is relative to the page's base, so that a path prefix works.
import type { ApiError } from '@longpole/model/api'

export class ApiFailure extends Error {
  override readonly name = 'ApiFailure'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

async function failure(response: Response): Promise<ApiFailure> {
  const body = (await response.json().catch(() => null)) as ApiError | null
  return new ApiFailure(response.status, body?.error?.message ?? `the hub answered ${response.status}`)
}

/** Whether asking again may bring an answer: what the hub refuses for what was asked, it refuses again. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof ApiFailure) || error.status >= 500 || error.status === 429
}

/** A hub that took the question and never answers is one that does not answer. */
const TIMEOUT_MS = 45_000

/** A list becomes the same parameter several times: alternatives. */
export type Query = Record<string, string | number | readonly string[] | null | undefined>

export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const url = new URL(`api/v1/${path}`, document.baseURI)
  for (const [key, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== null && item !== undefined && item !== '') url.searchParams.append(key, String(item))
    }
  }
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const response = await fetch(url, {
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    headers: { accept: 'application/json' },
  })
  if (!response.ok) throw await failure(response)
  return (await response.json()) as T
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(new URL(`api/v1/${path}`, document.baseURI), {
    method: 'POST',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw await failure(response)
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T)
}
