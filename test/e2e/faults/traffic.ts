// An open loop of streaming requests as programs in three regions would send them, through the openai client with our SDK around it:
// requests begin when their time has come, whether or not the last one has ended.
import { instrumentOpenAI } from '@longpole/sdk'
import OpenAI from 'openai'
import { REGIONS, TENANTS, type TrafficChange } from './scenarios.ts'

export interface TrafficSettings {
  runId: string
  model: string
  /** Base address of each replica as seen from each region. */
  urls: Record<string, string[]>
  /** Requests a second, all tenants together. */
  rate: number
  seed: number
}

export interface Traffic {
  change(change: TrafficChange | null): void
  consumeSlowly(slow: { region: string; ms: number } | null): void
  /** Requests that have begun and not ended. */
  open(): number
  sent(): number
  stop(): void
}

const WORDS =
  'import return value index decode queue prefill tokens cache model string buffer yield class async window parse latency'.split(' ')
/** Words of each tenant's system prompt: two, three or four hundred tokens that a prefix cache can know. */
const PREFIX_WORDS = [180, 240, 300, 200, 420]
/** Each tenant's part of the traffic. */
const SHARES = [0.25, 0.2, 0.2, 0.2, 0.15]
const COMPLETIONS_SHARE = 0.3
const REQUEST_LIMIT_MS = 120_000

/** Seeded, so that the same prompts come again; mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function startTraffic(settings: TrafficSettings): Traffic {
  const random = createRandom(settings.seed)
  const text = (count: number) => Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ')
  const prefixes = PREFIX_WORDS.map(text)
  const clients = new Map(
    REGIONS.map((region) => [
      region,
      (settings.urls[region] as string[]).map((url) =>
        instrumentOpenAI(new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, timeout: REQUEST_LIMIT_MS }), {
          clientRegion: region,
          untilConsumed: true,
        }),
      ),
    ]),
  )
  let change: TrafficChange | null = null
  let slow: { region: string; ms: number } | null = null
  let open = 0
  let sent = 0
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  const rateOf = (tenant: number) =>
    settings.rate * (SHARES[tenant] as number) * (change?.tenant === TENANTS[tenant] ? (change?.rate ?? 1) : 1)

  function plan() {
    const total = TENANTS.reduce((sum, _, index) => sum + rateOf(index), 0)
    let draw = random() * total
    let tenant = 0
    while (tenant < TENANTS.length - 1 && draw >= rateOf(tenant)) draw -= rateOf(tenant++)
    const region = REGIONS[Math.floor(random() * REGIONS.length)] as (typeof REGIONS)[number]
    const replica = Math.floor(random() * (settings.urls[region] as string[]).length)
    const moved = change !== null && change.tenant === TENANTS[tenant] && (change.replica ?? replica) === replica ? change : null
    const own = text(Math.round((10 + random() * 30) * (moved?.words ?? 1)))
    const prompt = `${moved?.losesPrefix === true ? `${sent} ${text(3)} ` : ''}${prefixes[tenant]} ${own}`
    return { tenant, region, replica, prompt, tokens: 6 + Math.floor(random() * 14), completions: random() < COMPLETIONS_SHARE }
  }

  async function send(): Promise<void> {
    const { tenant, region, replica, prompt, tokens, completions } = plan()
    const client = clients.get(region)?.[replica] as OpenAI
    const headers = { 'x-request-id': `${settings.runId}-${sent++}`, 'x-longpole-tenant': TENANTS[tenant] as string }
    const shared = { model: settings.model, stream: true as const, stream_options: { include_usage: true }, max_tokens: tokens }
    // A random model would end its text anywhere: lengths are ours to choose.
    const forced = { ignore_eos: true }
    open++
    try {
      const stream = completions
        ? await client.completions.create({ ...shared, ...forced, prompt }, { headers })
        : await client.chat.completions.create({ ...shared, ...forced, messages: [{ role: 'user', content: prompt }] }, { headers })
      for await (const _ of stream) if (slow?.region === region) await new Promise((resolve) => setTimeout(resolve, slow?.ms))
    } catch {
      // What went wrong is in its record.
    }
    open--
  }

  function schedule(): void {
    const total = TENANTS.reduce((sum, _, index) => sum + rateOf(index), 0)
    timer = setTimeout(
      () => {
        if (stopped) return
        void send()
        schedule()
      },
      (-Math.log(1 - random()) / total) * 1e3,
    )
  }
  schedule()

  return {
    change: (next) => {
      change = next
    },
    consumeSlowly: (next) => {
      slow = next
    },
    open: () => open,
    sent: () => sent,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** Requests of nobody's straight to an engine, `concurrency` at a time, until it is stopped. */
export function startCrowd(url: string, model: string, crowd: { concurrency: number; words: number; tokens: number }): () => void {
  const leave = new AbortController()
  const random = createRandom(7)
  const one = async (): Promise<void> => {
    while (!leave.signal.aborted) {
      const prompt = Array.from({ length: crowd.words }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ')
      const body = JSON.stringify({ model, prompt, max_tokens: crowd.tokens, ignore_eos: true })
      const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: leave.signal }
      await fetch(`${url}/v1/completions`, request)
        .then((response) => response.text())
        .catch(() => {})
    }
  }
  for (let index = 0; index < crowd.concurrency; index++) void one()
  return () => leave.abort()
}
