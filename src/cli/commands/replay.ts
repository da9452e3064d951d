// `longpole replay DIR`: sends recorded telemetry to a hub and plays recorded exchanges on real sockets.
import { Command, Option } from 'commander'
import { createSampler } from '../../engines/sampler.ts'
import { hubTokenOption } from '../hub-client.ts'
import { InputError } from '../input-error.ts'
import { findCaptureFiles, readOtlpBody, readPage } from '../replay/capture.ts'
import { type RecordedExchange, readExchange } from '../replay/exchange.ts'
import { encodeSamples, type HubAddress, sendBody } from '../replay/otlp-client.ts'
import { type Pace, type PlayResult, playExchanges } from '../replay/player.ts'

interface Options {
  hub: string
  token?: string
  pace: Pace
  json?: boolean
}

interface Summary {
  bodies: { sent: number; skipped: number; refused: { file: string; reason: string }[] }
  pages: { sent: number; refused: { file: string; reason: string }[] }
  exchanges: PlayResult
}

export function createCommand(): Command {
  return new Command('replay')
    .description('Send recorded OTLP bodies and metrics pages to a hub, and play recorded exchanges on real sockets.')
    .argument('<dir>', 'directory of captures: *.bin, *.json, metrics-*.prom, *.sse.jsonl, in any folder below it')
    .option('--hub <url>', "base address of the hub's OTLP/HTTP receiver", 'http://127.0.0.1:4318')
    .addOption(hubTokenOption())
    .addOption(
      new Option('--pace <pace>', 'real keeps the pauses between exchanges, fast plays four at a time; inside each, times are always real')
        .choices(['real', 'fast'])
        .default('fast'),
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
What is sent
  *.bin                OTLP protobuf bodies (traces, metrics or logs)
  *.json               OTLP JSON bodies, where no .bin of that name stands beside them
  metrics-*.prom       pages of an engine, as engine samples
  *.sse.jsonl          exchanges, played by an SDK client through a sidecar

Examples
  longpole replay captures/vllm-0.32.0
  longpole replay captures --pace real --hub http://127.0.0.1:4318 --json

Exit status: 0 everything was sent and taken, 1 something was not, 2 bad input.`,
    )
    .action(async (directory: string, options: Options) => {
      const summary = await replay(directory, options)
      print(summary, options.json === true)
      const failures = [...summary.bodies.refused, ...summary.pages.refused, ...summary.exchanges.failed]
      if (failures.length > 0) process.exitCode = 1
    })
}

async function replay(directory: string, options: Options): Promise<Summary> {
  if (!/^https?:\/\/[^/]/.test(options.hub)) {
    throw new InputError(`replay: --hub: expected an http or https address, got ${JSON.stringify(options.hub)}`)
  }
  const hub: HubAddress = { url: options.hub, token: options.token }
  const files = findCaptureFiles(directory)
  if (files.otlp.length + files.pages.length + files.exchanges.length === 0) {
    throw new InputError(`replay: ${directory}: expected *.bin, *.json, metrics-*.prom or *.sse.jsonl files, got none`)
  }
  const exchanges: RecordedExchange[] = []
  const unreadable: PlayResult['failed'] = []
  for (const file of files.exchanges) {
    try {
      exchanges.push(readExchange(file))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      unreadable.push({ file, reason: error.message })
    }
  }
  const bodies = await sendBodies(hub, files.otlp)
  const pages = await sendPages(hub, directory, files.pages)
  const onPlayed = (played: number) => progress(`exchanges ${played}/${exchanges.length}`, played === exchanges.length)
  const played = exchanges.length === 0 ? { played: 0, failed: [] } : await playExchanges(exchanges, { hub, pace: options.pace, onPlayed })
  return { bodies, pages, exchanges: { played: played.played, failed: [...unreadable, ...played.failed] } }
}

async function sendBodies(hub: HubAddress, files: readonly string[]): Promise<Summary['bodies']> {
  const result: Summary['bodies'] = { sent: 0, skipped: 0, refused: [] }
  for (const [index, file] of files.entries()) {
    const body = readOtlpBody(file)
    if (body === null) result.skipped++
    else {
      const reason = await sendBody(hub, body.signal, body.contentType, body.body)
      if (reason === null) result.sent++
      else result.refused.push({ file, reason })
    }
    progress(`bodies ${index + 1}/${files.length}`, index + 1 === files.length)
  }
  return result
}

/** Each page is one look at a server of its folder; when it was taken is not recorded, so the samples are of now. */
async function sendPages(hub: HubAddress, directory: string, files: readonly string[]): Promise<Summary['pages']> {
  const result: Summary['pages'] = { sent: 0, refused: [] }
  for (const file of files) {
    const { replica, text } = readPage(directory, file)
    const sampler = createSampler({ cluster: null, region: null, model: null, pool: null, replica, rank: null })
    const samples = sampler.sample(text, BigInt(Date.now()) * 1_000_000n)
    const reason = await sendBody(hub, 'metrics', 'application/x-protobuf', encodeSamples(samples))
    if (reason === null) result.sent++
    else result.refused.push({ file, reason })
  }
  return result
}

function progress(text: string, last: boolean): void {
  if (!process.stderr.isTTY) return
  process.stderr.write(`\r\u001b[K${text}${last ? '\n' : ''}`)
}

function print(summary: Summary, asJson: boolean): void {
  if (asJson) {
    process.stdout.write(`${JSON.stringify(summary)}\n`)
    return
  }
  const { bodies, pages, exchanges } = summary
  const lines = [
    `OTLP bodies    ${bodies.sent} sent, ${bodies.refused.length} refused, ${bodies.skipped} files were none`,
    `metrics pages  ${pages.sent} sent, ${pages.refused.length} refused`,
    `exchanges      ${exchanges.played} played, ${exchanges.failed.length} not as recorded`,
    ...[...bodies.refused, ...pages.refused, ...exchanges.failed].map(({ file, reason }) => `  ${file}: ${reason}`),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
