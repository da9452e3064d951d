// One synthetic request: a short streamed chat through the SDK, marked as synthetic, so that its phases are measured like everybody's and
// it stays out of objectives, findings and baselines.
import { Headers } from '@longpole/model/conventions/attributes'

type Fetch = typeof globalThis.fetch

export interface ProbeTarget {
  /** Base address of an OpenAI-compatible server, with or without `/v1`. */
  url: string
  model: string
  apiKey: string | null
  timeoutSeconds: number
}

export interface ProbeResult {
  model: string
  ok: boolean
  /** Seconds to the first data event with content; null where none came. */
  ttftSeconds: number | null
  seconds: number
  /** Why it failed: `http_503`, `timeout`, `connection`, `no_token`; null when it did not. */
  failure: string | null
}

const PROMPT = 'Reply with one word: ok'
const MAX_TOKENS = 8

/** Never rejects: a failure is the result. */
export async function probe(tracedFetch: Fetch, { url, model, apiKey, timeoutSeconds }: ProbeTarget): Promise<ProbeResult> {
  const startedMs = performance.now()
  const seconds = () => (performance.now() - startedMs) / 1_000
  const failed = (failure: string, ttftSeconds: number | null = null): ProbeResult => ({
    model,
    ok: false,
    ttftSeconds,
    seconds: seconds(),
    failure,
  })
  try {
    const response = await tracedFetch(chatUrl(url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [Headers.synthetic]: '1',
        ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({
        model,
        stream: true,
        max_tokens: MAX_TOKENS,
        temperature: 0,
        messages: [{ role: 'user', content: PROMPT }],
      }),
      signal: AbortSignal.timeout(timeoutSeconds * 1_000),
    })
    if (!response.ok) {
      await response.body?.cancel()
      return failed(`http_${response.status}`)
    }
    const ttftSeconds = await readToEnd(response, seconds)
    return ttftSeconds === null ? failed('no_token') : { model, ok: true, ttftSeconds, seconds: seconds(), failure: null }
  } catch (error) {
    return failed((error as Error).name === 'TimeoutError' ? 'timeout' : 'connection')
  }
}

function chatUrl(url: string): string {
  const base = url.replace(/\/+$/, '')
  return `${base.endsWith('/v1') ? base : `${base}/v1`}/chat/completions`
}

/** Seconds at which the first delta with text, reasoning or a tool call came. The rest is read, so that the server finishes as usual. */
async function readToEnd(response: Response, seconds: () => number): Promise<number | null> {
  let first: number | null = null
  let rest = ''
  const decoder = new TextDecoder()
  for await (const bytes of response.body ?? []) {
    if (first !== null) continue
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (lines.some(hasToken)) first = seconds()
  }
  return first
}

function hasToken(line: string): boolean {
  const text = line.trim()
  if (!text.startsWith('data:') || text.includes('[DONE]')) return false
  try {
    const { choices } = JSON.parse(text.slice(5)) as { choices?: { delta?: Record<string, unknown> }[] }
    return (choices ?? []).some(({ delta = {} }) =>
      ['content', 'reasoning_content', 'reasoning', 'tool_calls'].some((key) => isFilled(delta[key])),
    )
  } catch {
    return false
  }
}

function isFilled(value: unknown): boolean {
  return (typeof value === 'string' || Array.isArray(value)) && value.length > 0
}
