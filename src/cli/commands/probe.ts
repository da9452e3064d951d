// `longpole probe`: synthetic requests per model, for models whose own traffic is too little to tell whether they work.
import { instrumentFetch } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'
import { Command } from 'commander'
import { InputError } from '../input-error.ts'
import { secondsAbove0 } from '../number-option.ts'
import { type ProbeResult, type ProbeTarget, probe } from '../probe/probe.ts'

interface ProbeOptions {
  url: string
  model: string[]
  every: string
  timeout: string
  otlp: string
  apiKeyEnv?: string
  once?: boolean
  json?: boolean
}

const EXAMPLES = `
Examples:
  longpole probe --url http://localhost:8000 --model qwen3-8b
  longpole probe --url http://gateway:8080 --model deepseek-r1 --model qwen3-8b --every 10 --api-key-env OPENAI_API_KEY
  longpole probe --once --url http://localhost:8000 --model qwen3-8b --json

Each request is short, streamed, and marked synthetic (header x-longpole-synthetic and an attribute of its span), so it is in no
objective, finding or baseline. Spans go to the hub by OTLP; the hub counts them and the alert LLMProbeFailing reads that count.

Exit status: 0 good (with --once: every model answered), 1 a model did not answer (only with --once), 2 bad input.`

export function createCommand(): Command {
  return new Command('probe')
    .description('Send synthetic requests per model and report them to the hub.')
    .requiredOption('--url <url>', 'OpenAI-compatible server, gateway or sidecar')
    .requiredOption('--model <name>', 'model to ask; may be repeated', (value: string, previous: string[]) => [...previous, value], [])
    .option('--every <seconds>', 'time between two requests to a model', '10')
    .option('--timeout <seconds>', 'a request without an end by then has failed', '30')
    .option('--otlp <url>', 'where spans are sent', 'http://127.0.0.1:4318')
    .option('--api-key-env <name>', 'environment variable that holds the key of the server')
    .option('--once', 'one request per model, then end')
    .option('--json', 'one JSON line per request')
    .addHelpText('after', EXAMPLES)
    .action(run)
}

function readTargets({ url, model, timeout, apiKeyEnv }: ProbeOptions): ProbeTarget[] {
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new InputError(`--url: expected an http:// or https:// address, got ${url}`)
  const apiKey = apiKeyEnv === undefined ? null : process.env[apiKeyEnv]
  if (apiKey === undefined || apiKey === '') throw new InputError(`--api-key-env: expected ${apiKeyEnv} to be set, got nothing`)
  return model.map((name) => ({ url, model: name, apiKey, timeoutSeconds: secondsAbove0('--timeout', timeout) }))
}

async function run(options: ProbeOptions): Promise<void> {
  const targets = readTargets(options)
  const everyMs = secondsAbove0('--every', options.every) * 1_000
  if (!URL.canParse(options.otlp)) throw new InputError(`--otlp: expected an address, got ${options.otlp}`)
  const tracing = startTracing({ serviceName: 'longpole-probe', endpoint: options.otlp, flushOnExit: false })
  const tracedFetch = instrumentFetch(fetch, { synthetic: true })
  const ask = async (target: ProbeTarget) => {
    const result = await probe(tracedFetch, target)
    process.stdout.write(`${options.json === true ? JSON.stringify(result) : describe(result)}\n`)
    return result
  }
  if (options.once === true) {
    const results = await Promise.all(targets.map(ask))
    if (results.some(({ ok }) => !ok)) process.exitCode = 1
  } else await repeat(targets, everyMs, ask)
  await tracing.shutdown()
}

/** Each model on its own beat: one that hangs delays no other, and is asked again only when its request has ended. */
async function repeat(targets: readonly ProbeTarget[], everyMs: number, ask: (target: ProbeTarget) => Promise<ProbeResult>): Promise<void> {
  const stopped = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve())
  const busy = new Set<ProbeTarget>()
  const beat = (target: ProbeTarget) => {
    if (busy.has(target)) return
    busy.add(target)
    void ask(target).finally(() => busy.delete(target))
  }
  for (const target of targets) beat(target)
  const timers = targets.map((target) => setInterval(beat, everyMs, target))
  await stopped.promise
  for (const timer of timers) clearInterval(timer)
}

function describe({ model, ok, ttftSeconds, seconds, failure }: ProbeResult): string {
  const first = ttftSeconds === null ? '' : `, first token after ${ttftSeconds.toFixed(3)} s`
  return `${ok ? 'ok' : `failed (${failure})`}  ${model}${first}, ${seconds.toFixed(3)} s in all`
}
