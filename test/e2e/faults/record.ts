// `npm run record:faults -- [--out DIR] [scenario …]`: records what two real vLLM replicas behind real sidecars and a real hub do while
// something is done to them by hand, as tables that `longpole why --table` reads. See ../README.md.
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startTracing } from '@longpole/sdk/node'
import { type Engine, findEngine } from '../engine.ts'
import { type Hub, runProgram, startHub, startSidecar, type Workspace } from '../processes.ts'
import { type Relay, startRelay } from '../relay.ts'
import { startPausing } from './pauser.ts'
import { type Recording, saveRecording, tenantNames } from './recording.ts'
import { REGIONS, SCENARIOS, type Scenario } from './scenarios.ts'
import { startCrowd, startTraffic, type Traffic } from './traffic.ts'

const REPLICAS = 2
const WARM_UP_SECONDS = 15
/** Between two incidents: queues drain, records close. */
const PAUSE_SECONDS = 15
const SETTLE_SECONDS = 9
/** Only for this recording: whoever reads it may know which tenant is which. */
const TENANT_KEY = 'a key that everybody may know, for recordings only'

interface Fleet {
  hub: Hub
  engines: Engine[]
  /** By region, then replica. */
  relays: Map<string, Relay[]>
  model: string
}

const { values: options, positionals } = parseArgs({
  options: {
    out: { type: 'string', default: join(tmpdir(), 'longpole-recordings') },
    rate: { type: 'string', default: '6' },
    baseline: { type: 'string', default: '180' },
    incident: { type: 'string', default: '60' },
    seed: { type: 'string', default: '20261124' },
  },
  allowPositionals: true,
})

async function main(workspace: Workspace): Promise<boolean> {
  const scenarios = (positionals.length === 0 ? SCENARIOS.map(({ id }) => id) : positionals).map((id) => {
    const found = SCENARIOS.find((scenario) => scenario.id === id)
    if (found === undefined) throw new Error(`no scenario ${id}: expected ${SCENARIOS.map((scenario) => scenario.id).join(', ')}`)
    return found
  })
  const fleet = await startFleet(workspace)
  if (fleet === null) return false
  const urls = Object.fromEntries(
    [...fleet.relays].map(([region, relays]) => [region, relays.map(({ port }) => `http://127.0.0.1:${port}`)]),
  )
  const tracing = startTracing({ endpoint: fleet.hub.otlpUrl, serviceName: 'recorder', flushOnExit: false })
  const runId = `record-${Date.now().toString(36)}`
  const traffic = startTraffic({ runId, model: fleet.model, urls, rate: Number(options.rate), seed: Number(options.seed) })
  workspace.defer(async () => traffic.stop())
  await seconds(WARM_UP_SECONDS)
  const baseline = { from: now(), to: now() + Number(options.baseline) }
  await seconds(Number(options.baseline))
  console.log(`baseline recorded: ${traffic.sent()} requests sent, ${traffic.open()} open`)
  const recordings: Recording[] = []
  for (const scenario of scenarios) {
    if (recordings.length > 0) await seconds(PAUSE_SECONDS)
    recordings.push(await runScenario(fleet, traffic, scenario, baseline))
  }
  traffic.stop()
  await tracing.shutdown()
  await seconds(SETTLE_SECONDS)
  mkdirSync(options.out, { recursive: true })
  const names = tenantNames(TENANT_KEY)
  for (const recording of recordings) {
    const rows = await saveRecording(options.out, fleet.hub.apiUrl, recording, names)
    console.log(
      `${recording.scenario.id}: ${rows.baseline} rows before, ${rows.incident} in the incident → ${options.out}/${recording.scenario.id}.ndjson`,
    )
  }
  return true
}

async function startFleet(workspace: Workspace): Promise<Fleet | null> {
  const engines: Engine[] = []
  for (let index = 0; index < REPLICAS; index++) {
    const engine = await findEngine(workspace, {
      url: `LONGPOLE_E2E_VLLM_URL_${index}`,
      otlpPort: `LONGPOLE_E2E_VLLM_OTLP_PORT_${index}`,
      processGroup: `LONGPOLE_E2E_VLLM_PROCESS_GROUP_${index}`,
      command: 'LONGPOLE_E2E_VLLM_COMMAND',
    })
    if (engine === null) return null
    engines.push(engine)
  }
  const hub = await startHub(workspace, 'hub', { LONGPOLE_TENANTS_KEY: TENANT_KEY })
  const relays = new Map<string, Relay[]>(REGIONS.map((region) => [region, []]))
  for (const [index, engine] of engines.entries()) {
    const name = `vllm-${index}`
    const sidecar = await startSidecar(workspace, {
      name: `sidecar-${index}`,
      upstreamUrl: engine.url,
      hubUrl: hub.otlpUrl,
      otlpPort: engine.otlpPort,
      replica: name,
    })
    for (const region of REGIONS) {
      const relay = await startRelay({ upstreamPort: sidecar.port })
      workspace.defer(() => relay.close())
      relays.get(region)?.push(relay)
    }
  }
  const models = (await (await fetch(`${engines[0]?.url}/v1/models`)).json()) as { data: { id: string }[] }
  return { hub, engines, relays, model: models.data[0]?.id ?? '' }
}

async function runScenario(fleet: Fleet, traffic: Traffic, scenario: Scenario, baseline: { from: number; to: number }): Promise<Recording> {
  console.log(`${scenario.id} begins; ${traffic.open()} requests open`)
  const from = now()
  const undo = await apply(fleet, traffic, scenario)
  await seconds(Number(options.incident))
  const to = now()
  const recording: Recording = { scenario, baseline, incident: { from, to }, rows: null, model: fleet.model }
  // What hangs is only seen while it hangs.
  if (scenario.id === 'hang') recording.rows = await (await fetch(`${fleet.hub.apiUrl}/api/v1/export?from=${from}&to=${to}`)).text()
  for (const action of undo.reverse()) await action()
  return recording
}

async function apply(fleet: Fleet, traffic: Traffic, scenario: Scenario): Promise<(() => void | Promise<void>)[]> {
  const { pause, delay, crowd, slowConsumer } = scenario
  const undo: (() => void | Promise<void>)[] = []
  if (pause !== undefined) {
    const processGroup = fleet.engines[pause.replica]?.processGroup ?? null
    if (processGroup === null)
      throw new Error(`set LONGPOLE_E2E_VLLM_PROCESS_GROUP_${pause.replica}: the engine's processes are stopped and continued`)
    undo.push(startPausing({ processGroup, ...pause }))
  }
  if (delay !== undefined) {
    const chosen = [...fleet.relays].flatMap(([region, relays]) =>
      relays.filter((_, index) => (delay.region ?? region) === region && (delay.replica ?? index) === index),
    )
    const setAll = async (ms: number): Promise<void> => {
      for (const relay of chosen) await relay.setDelay({ toServerMs: ms, toClientMs: ms })
    }
    await setAll(delay.ms)
    undo.push(() => setAll(0))
  }
  if (crowd !== undefined) undo.push(startCrowd(fleet.engines[crowd.replica]?.url ?? '', fleet.model, crowd))
  if (slowConsumer !== undefined) {
    traffic.consumeSlowly(slowConsumer)
    undo.push(() => traffic.consumeSlowly(null))
  }
  if (scenario.traffic !== undefined) {
    traffic.change(scenario.traffic)
    undo.push(() => traffic.change(null))
  }
  return undo
}

function now(): number {
  return Date.now() / 1000
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000))
}

await runProgram(main)
