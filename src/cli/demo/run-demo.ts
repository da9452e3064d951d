// The demo as a whole: the hub in this process, the live fleet and its history in two others, a fault after a while, keys and the page
// to change it.
import { randomBytes } from 'node:crypto'
import { startHub } from '../../../collector/hub/main.ts'
import { FAULTS } from '../../simulator/faults/index.ts'
import { ensureConsole } from '../console-bundle.ts'
import { InputError } from '../input-error.ts'
import { VERSION } from '../version.ts'
import { checkDisk, isFree } from './checks.ts'
import { loadDemoConfig } from './demo-config.ts'
import { watchFindings } from './finding-watch.ts'
import { type FleetLink, startFleet } from './fleet-link.ts'
import { startHistory } from './history-link.ts'
import { listenToKeys } from './keyboard.ts'
import type { FleetSettings } from './messages.ts'
import { createTroubleTeller } from './trouble.ts'

export interface DemoSettings {
  /** longpole.yaml, where there is one. */
  config: string | undefined
  directory: string
  injection: { flag: '--fault' | '--shift'; text: string } | null
  seed: number
  speed: number
  rate: number
  historySeconds: number
  afterSeconds: number
}

/** The localizer looks again a few seconds after its last look: who watches a demo wants to see it find the fault. */
const LOCALIZE_MS = 5_000

export async function runDemo(settings: DemoSettings): Promise<void> {
  checkDisk(settings.directory)
  const tenantKey = randomBytes(32).toString('hex')
  const config = await loadDemoConfig(settings.config, settings.directory, tenantKey)
  await checkPage(config.listen.api)
  const say = (line: string) => process.stdout.write(`${line}\n`)
  await ensureConsole((sentence) => say(`  ${sentence}`))
  const control = new Control(settings)
  // What breaks while everything ends (a signal to the whole group ends the store too) is no trouble.
  let isEnding = false
  // Half a history is another fleet than the whole: nobody is asked about it, and loading it has the machine for itself.
  let isHistoryThere = false
  const hub = await startHub({
    config,
    version: VERSION,
    log: (level, message) => isEnding || logTrouble(level, message),
    demo: control.forPage,
    localize: { everyMs: LOCALIZE_MS, isReady: () => isHistoryThere },
  })
  const api = `http://127.0.0.1:${hub.ports.api}`
  say(`Longpole ${VERSION}: open ${api}`)
  say(`  metrics ${api}/metrics, OTLP http://127.0.0.1:${hub.ports.otlpHttp} and 127.0.0.1:${hub.ports.otlpGrpc} (gRPC)`)
  const quit = Promise.withResolvers<void>()
  const stopWatching = watchFindings(api, say)
  const releaseKeys = listenToKeys({ toggle: () => control.toggle(), quit: quit.resolve })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => quit.resolve())
  const otlp = `http://127.0.0.1:${hub.ports.otlpHttp}`
  const { seed, speed, rate, historySeconds } = settings
  const fleetSettings = { seed, rate, historySeconds, speed, api, otlp, tenantKey, liveFromMs: Date.now() }
  const fleet = startDemoFleet(fleetSettings, { say, control, lost: quit.reject })
  control.fleet = fleet
  const history = startHistory(fleetSettings, hub.store, historyProgress(say))
  history.done.then(() => {
    isHistoryThere = true
    control.begin()
  }, quit.reject)
  try {
    await quit.promise
  } finally {
    isEnding = true
    stopWatching()
    releaseKeys()
    control.stop()
    history.stop()
    await fleet.stop()
    await hub.close()
  }
}

interface FleetSurroundings {
  say: (line: string) => void
  control: Control
  lost: (error: Error) => void
}

function startDemoFleet(settings: FleetSettings, { say, control, lost }: FleetSurroundings): FleetLink {
  return startFleet(settings, {
    onLive(replicas) {
      say(`  live: ${settings.rate} requests a second on ${replicas} replicas in 3 regions`)
      if (process.stdin.isTTY) say('  keys: f makes the fleet ill or heals it, q ends')
    },
    onSockets: (count) => say(`  ${count} of them on real sockets, each behind a real sidecar, with a client that uses the SDK`),
    onInjected({ id, title, where, phases }) {
      control.injected(id)
      say(`  injected: ${id} ${title} (${where}); the truth is ${phases.join(', ') || 'that nothing is broken'}`)
    },
    onHealed() {
      control.injected(null)
      say('  healed')
    },
    onRefused: (message) => say(`  ${message}`),
    onTrouble: createTroubleTeller((sentence) => process.stderr.write(`longpole demo: ${sentence}\n`)),
    onLost: (code) => lost(new Error(`the fleet's process ended (${code ?? 'by a signal'})`)),
  })
}

function historyProgress(say: (line: string) => void): (done: number, rows: number) => void {
  const started = performance.now()
  return (done, rows) => {
    const text = `  history: ${Math.round(done * 100)} %, ${rows} requests`
    if (done === 1) say(`${process.stdout.isTTY ? '\r' : ''}${text} in ${((performance.now() - started) / 1e3).toFixed(1)} s`)
    else if (process.stdout.isTTY) process.stdout.write(`\r${text}`)
  }
}

/** Which fault is on, whoever asked for it: the clock, a key, the page. */
class Control {
  fleet: FleetLink | null = null
  private readonly settings: DemoSettings
  private now: string | null = null
  private timer: NodeJS.Timeout | null = null

  constructor(settings: DemoSettings) {
    this.settings = settings
  }

  readonly forPage = {
    faults: FAULTS.map(({ id, title }) => ({ id, title })),
    current: () => this.now,
    inject: async (fault: string | null) => {
      this.stop()
      if (fault === null) this.fleet?.heal()
      else this.fleet?.inject('--fault', `${fault}:${severityOf(this.settings)}`)
      // What the page shows next is what was asked for; the fleet confirms a moment later.
      this.now = fault
    },
  }

  /** History is there and traffic flows: the fault comes after a while. */
  begin(): void {
    const { injection, afterSeconds } = this.settings
    if (injection === null) return
    this.timer = setTimeout(() => this.fleet?.inject(injection.flag, injection.text), afterSeconds * 1e3)
  }

  toggle(): void {
    this.stop()
    const { injection } = this.settings
    if (this.now !== null) this.fleet?.heal()
    else this.fleet?.inject(injection?.flag ?? '--fault', injection?.text ?? 'F17:high')
  }

  injected(fault: string | null): void {
    this.now = fault
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }
}

function severityOf({ injection }: DemoSettings): string {
  return injection?.text.split(':')[1] ?? 'high'
}

/** The page's address is what people are told: it is taken as it is or not at all. */
async function checkPage(address: string): Promise<void> {
  const colon = address.lastIndexOf(':')
  const port = Number(address.slice(colon + 1))
  if (port === 0 || (await isFree(address.slice(0, colon), port))) return
  throw new InputError(
    `${address} is in use (another demo or hub?). End that, or choose another port: LONGPOLE_LISTEN_API=127.0.0.1:7272 longpole demo`,
  )
}

function logTrouble(level: 'info' | 'warn' | 'error', message: string): void {
  if (level !== 'info') process.stderr.write(`longpole hub: ${message}\n`)
}
