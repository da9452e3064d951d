// `longpole doctor`: looks at every hop from client to store and says in one sentence each what is missing and how to fix it.
import { Command } from 'commander'
import pc from 'picocolors'
import { type CheckResult, runChecks, type Status } from '../doctor/checks.ts'
import { collectFacts } from '../doctor/facts.ts'
import { addHubOptions, type HubOptions } from '../hub-client.ts'

interface Options extends HubOptions {
  json?: boolean
}

export function createCommand(): Command {
  const command = new Command('doctor')
    .description('Check every hop from the client to the store: what is missing and how to fix it.')
    .option('--json', 'the checks as JSON')
  return addHubOptions(command)
    .addHelpText(
      'after',
      `
Examples
  longpole doctor
  longpole doctor --hub http://hub.internal:7171 --token TOKEN --json

Exit status: 0 nothing is broken (warnings may be shown), 1 something is, 2 bad input.`,
    )
    .action(run)
}

const MARKS: Record<Status, string> = { ok: pc.green('ok  '), warn: pc.yellow('warn'), fail: pc.red('fail') }

async function run(options: Options): Promise<void> {
  const checks = runChecks(await collectFacts(options, Date.now() / 1_000))
  const isBroken = checks.some((check) => check.status === 'fail')
  process.stdout.write(options.json === true ? `${JSON.stringify({ ok: !isBroken, checks })}\n` : render(checks))
  if (isBroken) process.exitCode = 1
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
