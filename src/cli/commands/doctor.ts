// `longpole doctor`: looks at every hop from client to store and says in one sentence each what is missing and how to fix it.
import { Command } from 'commander'
import pc from 'picocolors'
import { checkAlerting } from '../doctor/alerting.ts'
import { type CheckResult, runChecks, type Status } from '../doctor/checks.ts'
import { collectFacts } from '../doctor/facts.ts'
import { addHubOptions, type HubOptions } from '../hub-client.ts'
import { InputError } from '../input-error.ts'

interface Options extends HubOptions {
  json?: boolean
  alerts?: boolean
  prometheus: string
  alertmanager: string
}

/** Longer than the page route waits for more alerts of a group. */
const DELIVERY_SECONDS = 45

export function createCommand(): Command {
  const command = new Command('doctor')
    .description('Check every hop from the client to the store: what is missing and how to fix it.')
    .option('--json', 'the checks as JSON')
    .option('--alerts', 'check the way of an alert instead, with a test page that goes out to the people on call')
    .option('--prometheus <url>', 'with --alerts', 'http://127.0.0.1:9090')
    .option('--alertmanager <url>', 'with --alerts', 'http://127.0.0.1:9093')
  return addHubOptions(command)
    .addHelpText(
      'after',
      `
Examples
  longpole doctor
  longpole doctor --hub http://hub.internal:7171 --token TOKEN --json
  longpole doctor --alerts --prometheus http://prometheus:9090 --alertmanager http://alertmanager:9093

Exit status: 0 nothing is broken (warnings may be shown), 1 something is, 2 bad input.`,
    )
    .action(run)
}

const MARKS: Record<Status, string> = { ok: pc.green('ok  '), warn: pc.yellow('warn'), fail: pc.red('fail') }

async function run(options: Options): Promise<void> {
  const checks = options.alerts === true ? await alertingChecks(options) : runChecks(await collectFacts(options, Date.now() / 1_000))
  const isBroken = checks.some((check) => check.status === 'fail')
  process.stdout.write(options.json === true ? `${JSON.stringify({ ok: !isBroken, checks })}\n` : render(checks))
  if (isBroken) process.exitCode = 1
}

function alertingChecks({ prometheus, alertmanager }: Options): Promise<CheckResult[]> {
  for (const [option, url] of Object.entries({ '--prometheus': prometheus, '--alertmanager': alertmanager })) {
    if (!URL.canParse(url)) throw new InputError(`${option}: expected an http:// or https:// address, got ${url}`)
  }
  const bare = (url: string) => url.replace(/\/+$/, '')
  return checkAlerting({ prometheus: bare(prometheus), alertmanager: bare(alertmanager), deliverySeconds: DELIVERY_SECONDS })
}

function render(checks: readonly CheckResult[]): string {
  const width = Math.max(...checks.map(({ check }) => check.length))
  const indent = ' '.repeat(width + 7)
  return checks
    .map(
      ({ check, status, message, fix }) =>
        `${MARKS[status]} ${check.padEnd(width)}  ${message}\n${fix === '' ? '' : `${indent}${pc.dim(fix)}\n`}`,
    )
    .join('')
}
