// `longpole event`: tells the hub about a change, so that a finding can be matched with what was done.
import type { ApiEvent } from '@longpole/model/api'
import { CHANGE_KINDS } from '@longpole/model/change-event'
import { Command, Option } from 'commander'
import { addHubOptions, askHub, type HubOptions } from '../hub-client.ts'
import { InputError } from '../input-error.ts'

interface Options extends HubOptions {
  kind: string
  at?: string
  scope: Record<string, string[]>
  source?: string
  id?: string
  fromValue?: string
  toValue?: string
  json?: boolean
}

export function createCommand(): Command {
  const command = new Command('event')
    .description('Tell the hub about a change in the fleet: a deploy, a configuration, a scaling.')
    .argument('<title>', 'one sentence for a person, for example "router revision 4812"')
    .addOption(new Option('--kind <kind>', 'what kind of change').choices([...CHANGE_KINDS]).default('deploy'))
    .option('--at <instant>', 'when; now without it. Unix seconds, nanoseconds or RFC 3339')
    .option(
      '--scope <dimension=a,b>',
      'the requests it could touch, may be given several times; the whole fleet without it',
      collectScope,
      {},
    )
    .option('--source <name>', 'who says so, for example a CI system')
    .option('--id <id>', 'of your own: the same id again replaces the event')
    .option('--from-value <value>', 'what it was')
    .option('--to-value <value>', 'what it is now')
    .option('--json', 'print the event as JSON')
  return addHubOptions(command)
    .addHelpText(
      'after',
      `
Examples
  longpole event "router revision 4812" --scope cluster=eu-1 --from-value 4811 --to-value 4812
  longpole event "scale prefill 8 -> 6" --kind scale --scope pool=prefill --at 2026-11-24T03:00:00Z --source autoscaler

Exit status: 0 taken, 2 bad input, 1 the hub does not answer.`,
    )
    .action(run)
}

function collectScope(text: string, previous: Record<string, string[]>): Record<string, string[]> {
  const equals = text.indexOf('=')
  const values = text
    .slice(equals + 1)
    .split(',')
    .filter((value) => value !== '')
  if (equals < 1 || values.length === 0) throw new InputError(`--scope: expected dimension=value or dimension=a,b, got ${text}`)
  const dimension = text.slice(0, equals)
  return { ...previous, [dimension]: [...(previous[dimension] ?? []), ...values] }
}

async function run(title: string, options: Options): Promise<void> {
  const { kind, at, scope, source, id, fromValue, toValue } = options
  const body = {
    title,
    kind,
    scope,
    ...(at === undefined ? {} : { at }),
    ...(source === undefined ? {} : { source }),
    ...(id === undefined ? {} : { id }),
    ...(fromValue === undefined ? {} : { from_value: fromValue }),
    ...(toValue === undefined ? {} : { to_value: toValue }),
  }
  const response = await askHub(options, '/api/v1/events', { method: 'POST', body })
  const event = (await response.json()) as ApiEvent
  const time = new Date(Number(BigInt(event.unix_ns) / 1_000_000n)).toISOString()
  process.stdout.write(options.json === true ? `${JSON.stringify(event)}\n` : `${event.kind} at ${time}: ${event.title} (${event.id})\n`)
}
