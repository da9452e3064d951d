// The demo's client program: chats with the replicas on sockets through their sidecars, instrumented with one line of the SDK.
import { instrumentFetch } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'

export interface ClientSettings {
  /** Base addresses of the sidecars. */
  targets: string[]
  model: string
  /** Requests a second. */
  rate: number
  otlp: string
  tenant: string
  seed: number
}

const settings = JSON.parse(process.argv[2] as string) as ClientSettings
startTracing({ endpoint: settings.otlp, serviceName: settings.tenant })
const tracedFetch = instrumentFetch(fetch, { tenantClass: 'interactive', clientRegion: 'us-east' })
process.on('disconnect', () => process.exit(0))

const SYSTEM = 'You are the assistant of a travel agency. '.repeat(60)
const QUESTIONS = ['Where should we go in May?', 'Which train leaves first?', 'Write a short letter about it.', 'And with children?']
const MAX_TURNS = 6
let calls = 0
let history: { role: string; content: string }[] = []

async function call(): Promise<void> {
  const number = calls++
  const target = settings.targets[number % settings.targets.length]
  if (history.length > MAX_TURNS) history = []
  history.push({ role: 'user', content: `${QUESTIONS[number % QUESTIONS.length]} (${number})` })
  const body = { model: settings.model, stream: true, max_tokens: 160, messages: [{ role: 'system', content: SYSTEM }, ...history] }
  const response = await tracedFetch(`${target}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-longpole-tenant': settings.tenant },
    body: JSON.stringify({ ...body, stream_options: { include_usage: true } }),
  })
  const text = await response.text()
  history.push({ role: 'assistant', content: text.slice(0, 400) })
}

/** Open loop: the next call does not wait for the last one. Failures are what the demo is about: they are in the spans. */
function schedule(): void {
  const pause = -Math.log(1 - Math.random()) / settings.rate
  setTimeout(() => {
    call().catch(() => {})
    schedule()
  }, pause * 1e3)
}

schedule()
