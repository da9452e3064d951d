// `longpole hub`: receives, joins, stores and serves.
import { Command } from 'commander'
import pino from 'pino'
import { stringify } from 'yaml'
import { startHub } from '../../../collector/hub/main.ts'
import { describeConfig, loadConfig } from '../../config/load.ts'
import { ensureConsole } from '../console-bundle.ts'
import { VERSION } from '../version.ts'

interface Options {
  data?: string
  config?: string
  printConfig?: boolean
  json?: boolean
}

export function createCommand(): Command {
  return new Command('hub')
    .description('Receive spans, join them into request records, store and serve them.')
    .option('--data <dir>', 'directory of the embedded store (store.data)')
    .option('--config <file>', 'longpole.yaml')
    .option('--print-config', 'print the effective configuration, secrets masked, and end')
    .option('--json', 'say where it listens as one line of JSON')
    .addHelpText(
      'after',
      `
Listens on
  127.0.0.1:4318   OTLP over HTTP (listen.otlpHttp, LONGPOLE_LISTEN_OTLP_HTTP)
  127.0.0.1:4317   OTLP over gRPC (listen.otlpGrpc, LONGPOLE_LISTEN_OTLP_GRPC)
  127.0.0.1:7171   API, page and /metrics (listen.api, LONGPOLE_LISTEN_API)

Examples
  longpole hub --data ./longpole-data
  longpole hub --config longpole.yaml
  LONGPOLE_LISTEN_API=127.0.0.1:7272 longpole hub --data ./longpole-data

Exit status: 0 ended by a signal, 2 wrong configuration or a port that is taken, 1 any other failure.`,
    )
    .action(run)
}

async function run(options: Options): Promise<void> {
  const config = loadConfig({
    file: options.config,
    ...(options.data === undefined ? {} : { overrides: { store: { data: options.data } } }),
  })
  if (options.printConfig === true) {
    process.stdout.write(stringify(describeConfig(config)))
    return
  }
  const logger = pino({ level: config.logLevel, base: undefined }, pino.destination(2))
  await ensureConsole((sentence) => logger.info(sentence))
  const hub = await startHub({ config, version: VERSION, log: (level, message) => logger[level](message) })
  const { api, otlpHttp, otlpGrpc } = hub.ports
  const place = (address: string, port: number) => `${address.slice(0, address.lastIndexOf(':'))}:${port}`
  const places = {
    api: `http://${place(config.listen.api, api)}`,
    otlp_http: otlpHttp === 0 ? null : `http://${place(config.listen.otlpHttp, otlpHttp)}`,
    otlp_grpc: otlpGrpc === 0 ? null : place(config.listen.otlpGrpc, otlpGrpc),
  }
  const otlp = places.otlp_http === null ? 'no OTLP (role localize)' : `OTLP ${places.otlp_http} and ${places.otlp_grpc} (gRPC)`
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(places)}\n`
      : `longpole hub ${VERSION}: page ${places.api}, ${otlp}, data in ${config.store.url ?? config.store.data}\n`,
  )
  await ended()
  logger.info('ending: finishing what is under way')
  await hub.close()
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function ended(): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (++signals > 1) process.exit(1)
        resolve()
      })
    }
  })
}
