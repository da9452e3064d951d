// `longpole demo` (and `npm start`): a hub with a simulated fleet before it, two hours of history, live traffic, and a fault to be found.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { FAULTS } from '../../simulator/faults/index.ts'
import { PlanError, parseFault } from '../../simulator/faults/plan.ts'
import { SHIFTS } from '../../simulator/shifts/index.ts'
import { runDemo } from '../demo/run-demo.ts'
import { InputError } from '../input-error.ts'
import { numberBetween } from '../number-option.ts'

interface Options {
  fault: string
  shift?: string
  severity: string
  seed: string
  speed: string
  rate: string
  history: string
  after: string
  data?: string
  config?: string
  list?: boolean
  json?: boolean
}

const EXAMPLES = `
Examples
  longpole demo                            two hours of history, live traffic, then KV transfer of one replica breaks
  longpole demo --fault F7 --severity high --after 60
  longpole demo --fault none --shift W1    nothing is broken: reasoning grows longer
  longpole demo --config longpole.yaml     your own objectives
  longpole demo --list

Keys while it runs: f makes the fleet ill or heals it, q ends. The page has a button for it too.
Needs ports 7171 (page and API), and 4318 and 4317 (OTLP; others are taken where these are in use).

Exit status: 0 ended by a key or a signal, 2 bad input, a port that is taken or a full disk.`

export function createCommand(): Command {
  return new Command('demo')
    .description('A simulated fleet before a real hub: look, break it, and see what Longpole says.')
    .option('--fault <id>', 'fault to inject, or none', 'F17')
    .option('--shift <id>', 'shift that is no fault, instead')
    .option('--severity <severity>', 'low, medium, high or a number', 'high')
    .option('--seed <n>', 'seed of the fleet', '1')
    .option('--speed <factor>', 'live time runs so many times as fast', '1')
    .option('--rate <r>', 'requests a second', '40')
    .option('--history <minutes>', 'minutes of healthy history', '120')
    .option('--after <seconds>', 'seconds of healthy live traffic before the fault', '30')
    .option('--data <dir>', 'keep the store in this directory (default: a temporary one)')
    .option('--config <file>', 'longpole.yaml: objectives, prices, addresses (not its store.data)')
    .option('--list', 'list faults and shifts')
    .option('--json', 'the list as JSON')
    .addHelpText('after', EXAMPLES)
    .action(demo)
}

async function demo(options: Options): Promise<void> {
  if (options.list === true) {
    const entries = [...FAULTS, ...SHIFTS].map(({ id, name, title }) => ({ id, name, title }))
    if (options.json === true) process.stdout.write(`${JSON.stringify(entries)}\n`)
    else for (const { id, name, title } of entries) process.stdout.write(`${id.padEnd(4)} ${name.padEnd(24)} ${title}\n`)
    return
  }
  const injection = readInjection(options)
  const directory = options.data ?? mkdtempSync(join(tmpdir(), 'longpole-demo-'))
  try {
    await runDemo({
      config: options.config,
      directory,
      injection,
      seed: numberBetween('--seed', options.seed, 0, 2 ** 31),
      speed: numberBetween('--speed', options.speed, 0.1, 20),
      rate: numberBetween('--rate', options.rate, 1, 60),
      historySeconds: numberBetween('--history', options.history, 1, 24 * 60) * 60,
      afterSeconds: numberBetween('--after', options.after, 0, 86_400),
    })
  } finally {
    if (options.data === undefined) rmSync(directory, { recursive: true, force: true })
  }
}

function readInjection({ fault, shift, severity }: Options): { flag: '--fault' | '--shift'; text: string } | null {
  const flag = shift === undefined ? '--fault' : '--shift'
  const id = shift ?? fault
  if (id === 'none') return null
  const text = id.includes(':') ? id : `${id}:${severity}`
  try {
    parseFault(text, flag, { seconds: 3600, seed: 1, shape: 'step', duration: Number.POSITIVE_INFINITY })
  } catch (error) {
    if (error instanceof PlanError) throw new InputError(error.message)
    throw error
  }
  return { flag, text }
}
