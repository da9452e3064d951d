// `longpole sidecar`: the streaming proxy beside one inference server, until a signal ends it.
import { hostname } from 'node:os'
import { Command, Option } from 'commander'
import { isLoopback } from '../../../collector/extensions/auth/auth.ts'
import type { Sidecar } from '../../../collector/sidecar/main.ts'
import {
  defaultReplica,
  formatAddress,
  parseAddress,
  parseHttpUrl,
  readToken,
  SettingsError,
  type SidecarSettings,
} from '../../../collector/sidecar/settings.ts'
import { hubTokenOption } from '../hub-client.ts'
import { startLean } from '../lean-start.ts'
import { VERSION } from '../version.ts'

interface Options {
  upstream: string
  listen: string
  hub: string
  token?: string
  tokenFile?: string
  admin: string
  otlpHttp?: string
  otlpGrpc?: string
  replica?: string
  cluster?: string
  region?: string
  zone?: string
  node?: string
  pool?: string
  model?: string
  scrape: string | boolean
  scrapeInterval: string
  upstreamIdle: string
  drain: string
  json?: boolean
}

const EXAMPLES = `
Examples
  longpole sidecar --upstream http://127.0.0.1:8000 --listen 127.0.0.1:8001 --hub http://127.0.0.1:4318
  longpole sidecar --upstream http://127.0.0.1:8000 --listen 0.0.0.0:8001 --hub http://hub:4318 --replica decode-3 --cluster eu-1 --pool decode
  longpole sidecar --upstream http://127.0.0.1:30000 --listen 127.0.0.1:30001 --otlp-grpc 127.0.0.1:14317   # SGLang sends its spans by gRPC

Clients talk to --listen as if it were the inference server. Its own authentication passes through untouched.
Options with a value can be given as LONGPOLE_<OPTION>, for example LONGPOLE_UPSTREAM or LONGPOLE_SCRAPE_INTERVAL; the token as LONGPOLE_HUB_TOKEN.

Health on the --admin address: /healthz, /readyz (503 while draining), /metrics.
SIGTERM or SIGINT: no new requests, running streams finish (--drain), telemetry is sent, exit. A second signal ends at once.

Exit status: 0 drained, 1 streams were cut or telemetry was lost while draining, 2 bad input.`

export function createCommand(): Command {
  const option = (flags: string, description: string, fallback?: string) => {
    const created = new Option(flags, description)
    return created
      .env(
        `LONGPOLE_${created
          .attributeName()
          .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
          .toUpperCase()}`,
      )
      .default(fallback)
  }
  return new Command('sidecar')
    .description('Proxy one inference server and time every request through it.')
    .addOption(option('--upstream <url>', 'address of the inference server').makeOptionMandatory())
    .addOption(option('--listen <host:port>', 'where clients connect').makeOptionMandatory())
    .addOption(
      option(
        '--hub <url>',
        "base address of the hub's OTLP/HTTP receiver",
        process.env.OTEL_EXPORTER_OTLP_ENDPOINT || 'http://127.0.0.1:4318',
      ),
    )
    .addOption(hubTokenOption())
    .addOption(option('--token-file <file>', 'file whose first line is that token').conflicts('token'))
    .addOption(option('--admin <host:port>', 'health and metrics of the sidecar', '127.0.0.1:7172'))
    .addOption(option('--otlp-http <host:port>', "receive the engine's own spans over OTLP/HTTP (loopback only)"))
    .addOption(option('--otlp-grpc <host:port>', "receive the engine's own spans over OTLP/gRPC (loopback only)"))
    .addOption(option('--replica <name>', 'name of the inference server in the fleet (default: host:port of the upstream)'))
    .addOption(option('--cluster <name>', 'cluster it serves in'))
    .addOption(option('--region <name>', 'region it serves in'))
    .addOption(option('--zone <name>', 'availability zone it serves in'))
    .addOption(option('--node <name>', 'host it runs on (default: host name)'))
    .addOption(option('--pool <name>', 'its part in disaggregated serving').choices(['prefill', 'decode', 'both']))
    .addOption(option('--model <name>', 'model, where neither requests nor metrics name it'))
    .addOption(option('--scrape <url>', "the engine's metrics page (default: /metrics of the upstream)"))
    .option('--no-scrape', "leave the engine's metrics page alone")
    .addOption(option('--scrape-interval <seconds>', 'time between two looks at it', '5'))
    .addOption(
      option('--upstream-idle <seconds>', "close idle connections to the engine after so long; less than the engine's own limit", '4'),
    )
    .addOption(option('--drain <seconds>', 'longest wait for running streams after SIGTERM', '600'))
    .option('--json', 'print the ports taken as one line of JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options) => {
      const settings = toSettings(options)
      // The worker's modules too: it must find them in the cache.
      await startLean(() =>
        Promise.all([import('../../../collector/sidecar/main.ts'), import('../../../collector/sidecar/telemetry-worker.ts')]),
      )
      await run(settings, options.json === true)
    })
}

function toSettings(options: Options): SidecarSettings {
  const upstream = parseHttpUrl('--upstream', options.upstream)
  const scrape = typeof options.scrape === 'string' ? parseHttpUrl('--scrape', options.scrape) : new URL('/metrics', upstream)
  return {
    version: VERSION,
    upstream: upstream.href,
    listen: parseAddress('--listen', options.listen),
    admin: parseAddress('--admin', options.admin),
    hub: parseHttpUrl('--hub', options.hub).href,
    hubToken: options.tokenFile === undefined ? (options.token ?? null) : readToken('--token-file', options.tokenFile),
    otlpHttp: parseLoopback('--otlp-http', options.otlpHttp),
    otlpGrpc: parseLoopback('--otlp-grpc', options.otlpGrpc),
    identity: {
      replica: options.replica ?? defaultReplica(upstream),
      cluster: options.cluster ?? null,
      region: options.region ?? null,
      zone: options.zone ?? null,
      node: options.node ?? hostname(),
      pool: options.pool ?? null,
      model: options.model ?? null,
    },
    scrapeUrl: options.scrape === false ? null : scrape.href,
    scrapeIntervalMs: parseSeconds('--scrape-interval', options.scrapeInterval, 0.1),
    upstreamIdleMs: parseSeconds('--upstream-idle', options.upstreamIdle, 0.001),
    drainMs: parseSeconds('--drain', options.drain, 0),
  }
}

/** Spans are taken from whoever can reach the listener, so only this machine may. */
function parseLoopback(flag: string, text: string | undefined) {
  if (text === undefined) return null
  const address = parseAddress(flag, text)
  if (isLoopback(address.host)) return address
  throw new SettingsError(
    `${flag}: expected a loopback address such as 127.0.0.1:14318, got ${JSON.stringify(text)}. Spans from other machines go to the hub.`,
  )
}

function parseSeconds(flag: string, text: string, least: number): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= least && value <= 86_400) return value * 1000
  throw new SettingsError(`${flag}: expected seconds from ${least} to 86400, got ${JSON.stringify(text)}`)
}

async function run(settings: SidecarSettings, json: boolean): Promise<void> {
  const log = (message: string) => process.stderr.write(`longpole sidecar: ${message}\n`)
  // A signal that comes while the worker still starts must not cost the requests that are served already.
  const signals = listenForSignals()
  const { startSidecar } = await import('../../../collector/sidecar/main.ts')
  const sidecar = await startSidecar(settings, log)
  announce(sidecar, settings, log)
  if (json) process.stdout.write(`${JSON.stringify(sidecar.ports)}\n`)
  log(`${await signals.first}: draining ${sidecar.proxy.openCount} open requests`)
  // The second signal cuts the first one's wait short.
  void signals.second.then(() => sidecar.drain())
  if (!(await sidecar.drain())) process.exitCode = 1
  process.exit()
}

function listenForSignals(): { first: Promise<string>; second: Promise<string> } {
  const first = Promise.withResolvers<string>()
  const second = Promise.withResolvers<string>()
  let seen = 0
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => (seen++ === 0 ? first : second).resolve(signal))
  return { first: first.promise, second: second.promise }
}

function announce({ ports }: Sidecar, settings: SidecarSettings, log: (message: string) => void): void {
  const at = (host: string, port: number) => formatAddress({ host, port })
  log(`${at(settings.listen.host, ports.proxy)} → ${settings.upstream}`)
  log(
    `health and metrics: http://${at(settings.admin.host, ports.admin)}/metrics · hub: ${settings.hub} · replica: ${settings.identity.replica}`,
  )
  if (ports.otlpHttpPort !== null) log(`spans of the engine: http://${at(settings.otlpHttp?.host ?? '', ports.otlpHttpPort)}/v1/traces`)
  if (ports.otlpGrpcPort !== null) log(`spans of the engine: grpc://${at(settings.otlpGrpc?.host ?? '', ports.otlpGrpcPort)}`)
}
