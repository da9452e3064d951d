// `longpole alerts`: rules for a user's own objectives, and the receiver that must hear the watchdog.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { DEFAULT_ALERTMANAGER, RECEIVER_KINDS, type ReceiverKind } from '../../../alerts/alertmanager/config.ts'
import { startDeadman } from '../../../alerts/deadman.ts'
import { generateFiles, ruleCounts } from '../../../alerts/generate.ts'
import { loadConfig } from '../../config/load.ts'
import { InputError } from '../input-error.ts'
import { secondsAbove0 } from '../number-option.ts'

const GENERATE_EXAMPLES = `
Examples:
  longpole alerts generate --out alerts
  longpole alerts generate --config longpole.yaml --out /etc/prometheus/longpole --receiver pagerduty --receiver slack
  promtool check rules alerts/*.yaml && amtool check-config alerts/alertmanager/alertmanager.yaml

Writes recordings.yaml and alerts.yaml for Prometheus, alertmanager/alertmanager.yaml and alertmanager/longpole.tmpl for Alertmanager.
Objectives come from the \`slo\` section of the configuration, the addresses in pages from its \`alerts\` section.`

const DEADMAN_EXAMPLES = `
Examples:
  longpole alerts deadman --notify https://events.example.com/page
  longpole alerts deadman --listen 127.0.0.1:7172 --within 180 --notify http://127.0.0.1:9000/alarm

Run it outside the cluster it guards. Alertmanager sends the Watchdog alert here every minute; when none came for so many seconds, the
address gets a POST with {"status": "firing", …}, and another with "resolved" when it comes again.`

export function createCommand(): Command {
  return new Command('alerts')
    .description('Rules for Prometheus and Alertmanager, and the receiver of their watchdog.')
    .addCommand(
      new Command('generate')
        .description('Write recording rules, alert rules and the Alertmanager configuration for your objectives.')
        .option('--config <file>', 'longpole.yaml; defaults without it')
        .requiredOption('--out <dir>', 'directory to write to')
        .option('--receiver <kind>', `way to reach a person: ${RECEIVER_KINDS.join(', ')}; may be repeated (default: all)`, collect, [])
        .option('--scrape-interval <seconds>', 'how often Prometheus scrapes the hub', '15')
        .option('--json', 'answer as JSON')
        .addHelpText('after', GENERATE_EXAMPLES)
        .action(generate),
    )
    .addCommand(
      new Command('deadman')
        .description('Raise an alarm when the watchdog stops coming.')
        .option('--listen <host:port>', 'where Alertmanager sends the watchdog', '127.0.0.1:7172')
        .option('--within <seconds>', 'silence after which the alarm is raised', '180')
        .option('--notify <url>', 'address that gets the alarm; without it the alarm is only printed')
        .addHelpText('after', DEADMAN_EXAMPLES)
        .action(deadman),
    )
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value]
}

interface GenerateOptions {
  config?: string
  out: string
  receiver: string[]
  scrapeInterval: string
  json?: boolean
}

function generate(options: GenerateOptions): void {
  const config = loadConfig({ file: options.config })
  const unknown = options.receiver.find((kind) => !RECEIVER_KINDS.includes(kind as ReceiverKind))
  if (unknown !== undefined) throw new InputError(`--receiver: expected one of ${RECEIVER_KINDS.join(', ')}, got ${unknown}`)
  const receivers = options.receiver.length === 0 ? RECEIVER_KINDS : (options.receiver as ReceiverKind[])
  const files = generateFiles(config, {
    scrapeIntervalSeconds: secondsAbove0('--scrape-interval', options.scrapeInterval),
    alertmanager: { ...DEFAULT_ALERTMANAGER, receivers },
  })
  for (const [path, content] of files) {
    const file = join(options.out, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  const counts = ruleCounts(config)
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ files: [...files.keys()].map((path) => join(options.out, path)), ...counts })}\n`)
    return
  }
  for (const path of files.keys()) process.stdout.write(`${join(options.out, path)}\n`)
  process.stdout.write(`${counts.objectives} objectives, ${counts.alerts} alert rules, ${counts.recordings} recording rules\n`)
}

interface DeadmanOptions {
  listen: string
  within: string
  notify?: string
}

async function deadman({ listen, within, notify }: DeadmanOptions): Promise<void> {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(listen) ?? []
  if (host === undefined || port === undefined) throw new InputError(`--listen: expected HOST:PORT, got ${listen}`)
  if (notify !== undefined && !URL.canParse(notify))
    throw new InputError(`--notify: expected an http:// or https:// address, got ${notify}`)
  const { url, close } = await startDeadman({
    host,
    port: Number(port),
    withinSeconds: secondsAbove0('--within', within),
    notifyUrl: notify ?? null,
    log: (line) => process.stderr.write(`${line}\n`),
  })
  process.stderr.write(`waiting for the watchdog on ${url}\n`)
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  await close()
}
