// `longpole top`: the first page in a terminal. Is the fleet fine, what is wrong, and which requests wait right now?
import { API_PREFIX, type ApiEvent, type ApiOpenRequest, type ApiSummary, type List } from '@longpole/model/api'
import { Command } from 'commander'
import { addHubOptions, askHub, type HubOptions } from '../hub-client.ts'
import { InputError } from '../input-error.ts'
import { numberBetween } from '../number-option.ts'
import { drawFrame, type FirstPage } from '../top/frame.ts'
import { createPaint } from '../top/paint.ts'
import { runScreen } from '../top/screen.ts'

interface Options extends HubOptions {
  interval: string
  window: string
  once?: boolean
  json?: boolean
}

const MAX_OPEN = '500'
const ANSWER_MS = 10_000
const PIPE_COLUMNS = 120

export function createCommand(): Command {
  const command = new Command('top')
    .description('The first page in a terminal: is the fleet fine, what is wrong, which requests wait.')
    .option('--once', 'print it once and end; so it does too where the output is no terminal')
    .option('--json', 'the same as one line of JSON, once')
    .option('--interval <seconds>', 'ask the hub so often', '2')
    .option('--window <seconds>', 'of the figures of each model', '300')
  return addHubOptions(command)
    .addHelpText(
      'after',
      `
Examples
  longpole top
  longpole top --hub http://hub.internal:7171 --token TOKEN --interval 5
  longpole top --once | head -3
  longpole top --json | jq '.summary.findings[].slice'

Keys: q ends, j and k scroll, f m o c go to findings, models, requests in flight and changes, p pauses, ? lists all.
No colour where the output is no terminal or NO_COLOR is set.

Exit status: 0 ended by a key or printed, 2 bad input, 1 the hub does not answer (with --once or --json; the screen tries again).`,
    )
    .action(run)
}

async function run(options: Options): Promise<void> {
  const seconds = numberBetween('--interval', options.interval, 0.2, 3_600)
  const window = Math.round(numberBetween('--window', options.window, 10, 86_400))
  const read = () => readFirstPage(options, window)
  const { stdout, stdin } = process
  if (options.json === true) {
    stdout.write(`${JSON.stringify(await read())}\n`)
    return
  }
  const paint = createPaint(stdout.isTTY && !process.env.NO_COLOR ? stdout.getColorDepth() : 1)
  if (options.once === true || !stdout.isTTY || !stdin.isTTY) {
    const columns = stdout.columns || Number(process.env.COLUMNS) || PIPE_COLUMNS
    const { head, body } = drawFrame(await read(), columns, paint)
    stdout.write(`${[...head, '', ...body].join('\n').trimEnd()}\n`)
    return
  }
  // Wrong input is told before the screen is taken; a hub that is only away is tried again.
  await read().catch((error) => {
    if (error instanceof InputError && error.exitStatus === 2) throw error
  })
  await runScreen({ terminal: { input: stdin, output: stdout }, paint, hub: options.hub, intervalMs: seconds * 1_000, read })
}

async function readFirstPage(options: HubOptions, window: number): Promise<FirstPage> {
  const signal = AbortSignal.timeout(ANSWER_MS)
  const ask = async <T>(path: string, query: Record<string, string>): Promise<T> =>
    (await askHub(options, `${API_PREFIX}/${path}`, { query: new URLSearchParams(query), signal })).json() as Promise<T>
  const [summary, open, events] = await Promise.all([
    ask<ApiSummary>('summary', { window: String(window) }),
    ask<List<ApiOpenRequest>>('open', { limit: MAX_OPEN }),
    ask<List<ApiEvent>>('events', {}),
  ])
  return { summary, open: open.items, events: events.items }
}
