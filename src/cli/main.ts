// The command line. Loads only the command that is asked for, so that `longpole sidecar` starts fast and light.
import { Command, CommanderError } from 'commander'
import { COMMANDS } from './commands.ts'
import { VERSION } from './version.ts'

async function main(argv: string[]): Promise<void> {
  const program = new Command('longpole')
    .description("Finds the long pole in an LLM fleet's latency.")
    .version(VERSION)
    .showHelpAfterError('(add --help for options and examples)')
    .exitOverride()

  const wanted = COMMANDS.find((entry) => entry.name === argv[0])
  for (const entry of COMMANDS) {
    if (entry === wanted) program.addCommand(inheritExit((await entry.load()).createCommand()))
    else program.command(entry.name).description(entry.summary)
  }
  await program.parseAsync(argv, { from: 'user' })
}

/** Usage errors end with status 2, whichever command found them. */
function inheritExit(command: Command): Command {
  command.exitOverride()
  for (const child of command.commands) inheritExit(child)
  return command
}

/** Bad input: printed as one line, exit status 2. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const message = error instanceof Error ? error.message : String(error)
  const showStack = process.env.LONGPOLE_DEBUG === '1' && error instanceof Error
  process.stderr.write(`longpole: ${showStack ? error.stack : message}\n`)
  const status = (error as { exitStatus?: number }).exitStatus
  return status ?? 1
}

main(process.argv.slice(2)).catch((error) => {
  process.exitCode = report(error)
})
