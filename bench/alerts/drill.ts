// `npm run bench:alert-drill`: real processes, real time, real windows. A hub, sidecars and engines of two models; one model's engines hang,
// the other's refuse; at the same time one Alertmanager, one Prometheus and one scrape are taken away, and at last the hub. Prints how long
// it took until a webhook heard of each. A quarter of an hour, nearly idle. With LONGPOLE_PROMETHEUS_DIR the newer release runs beside Debian's.

import type { AddressInfo } from 'node:net'
import { createServer as createRelay, connect as dial, type Server as RelayServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { instrumentOpenAI } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'
import OpenAI from 'openai'
import { alertmanagerConfig, DEFAULT_ALERTMANAGER } from '../../alerts/alertmanager/config.ts'
import { notificationTemplates } from '../../alerts/alertmanager/templates.ts'
import { expectedFiles } from '../../alerts/build.ts'
import { type Deadman, startDeadman } from '../../alerts/deadman.ts'
import { PAGE_FIELDS } from '../../alerts/page.ts'
import { type Server, startAlertmanager, startPrometheus } from '../../alerts/testing/servers.ts'
import { type Sink, startSink } from '../../alerts/testing/sink.ts'
import { freePorts, type Hub, runProgram, startLongpole, startSidecar, type Workspace, waitFor } from '../../test/e2e/processes.ts'
import { type MonitoringRelease, monitoringReleases } from '../../test/tools.ts'
import { type FakeEngine, startFakeEngine } from './fake-engine.ts'

const { values } = parseArgs({
  options: {
    'healthy-minutes': { type: 'string', default: '5' },
    rate: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const HEALTHY_MS = Number(values['healthy-minutes']) * 60_000
/** Requests a second and model. */
const RATE = Number(values.rate)
const MODELS = ['m-hangs', 'm-refuses', 'm-well'] as const
const REPLICAS = 2
const OUTAGE_LIMIT_MS = 8 * 60_000
const DRILL_LIMIT_MS = 7 * 60_000

interface Stack {
  name: string
  sink: Sink
  manager: Server
  prometheus: Server
  deadman: Deadman
  relay: { target: string; close(): void }
}

interface Notification {
  status: string
  groupLabels: Record<string, string>
  alerts: { labels: Record<string, string>; annotations: Record<string, string> }[]
}

interface Result {
  what: string
  stack: string
  seconds: number | null
  by: string
  note: string
}

async function main(workspace: Workspace): Promise<boolean> {
  const releases = monitoringReleases()
  const [oldest] = releases
  const newest = releases.at(-1)
  if (oldest === undefined || newest === undefined) throw new Error('needs Prometheus and Alertmanager (Debian packages)')
  const { hub, process: hubProcess } = await startHubProcess(workspace)
  const engines = new Map<string, FakeEngine[]>()
  const targets = new Map<string, string[]>()
  for (const model of MODELS) {
    for (let index = 0; index < REPLICAS; index++) {
      const replica = `${model}-${index}`
      const engine = await startFakeEngine(model)
      workspace.defer(() => engine.close())
      engines.set(model, [...(engines.get(model) ?? []), engine])
      const sidecar = await startSidecar(workspace, { name: replica, upstreamUrl: engine.url, hubUrl: hub.otlpUrl, replica })
      targets.set(model, [...(targets.get(model) ?? []), `http://127.0.0.1:${sidecar.port}/v1`])
    }
  }
  const load = startLoad(hub, targets)
  workspace.defer(load.stop)
  const stacks = {
    pages: await startStack(workspace, 'pages', oldest, hub),
    newer: await startStack(workspace, 'pages, newer', newest, hub),
    alertmanager: await startStack(workspace, 'Alertmanager killed', newest, hub),
    prometheus: await startStack(workspace, 'Prometheus killed', oldest, hub),
    scrape: await startStack(workspace, 'scrape broken', newest, hub),
  }
  say(`${MODELS.length} models, ${REPLICAS} replicas each; healthy for ${values['healthy-minutes']} minutes`)
  await pause(HEALTHY_MS)

  const ill = Date.now()
  for (const engine of engines.get('m-hangs') ?? []) engine.hang()
  for (const engine of engines.get('m-refuses') ?? []) await engine.refuse()
  await stacks.alertmanager.manager.kill()
  await stacks.prometheus.prometheus.kill()
  stacks.scrape.relay.close()
  say('two models are ill; an Alertmanager, a Prometheus and a scrape are gone')
  const paged = [stacks.pages, stacks.newer].flatMap((stack) => [
    outage(stack, 'm-hangs', 'a hang of every replica', ill),
    outage(stack, 'm-refuses', 'a refusal by every replica', ill),
  ])
  const drilled = [
    drill(stacks.alertmanager, 'Alertmanager killed', ill, isDeadmanAlarm),
    drill(stacks.prometheus, 'Prometheus killed', ill, isDeadmanAlarm),
    drill(stacks.scrape, 'scrape broken', ill, isAbsent),
  ]
  const results = (await Promise.all([...paged, ...drilled])).flat()
  const falsePages = [stacks.pages, stacks.newer]
    .flatMap(pagesOf)
    .filter(({ groupLabels }) => groupLabels.model === 'm-well')
    .flatMap(({ alerts }) => alerts.map(({ labels, annotations }) => `${labels.alertname} ${labels.slo ?? ''}: ${annotations.symptom}`))

  const killed = Date.now()
  hubProcess.child.kill('SIGKILL')
  results.push(
    ...(await Promise.all([drill(stacks.pages, 'hub killed', killed, isAbsent), drill(stacks.newer, 'hub killed', killed, isAbsent)])),
  )
  report(results)
  console.log(`pages for the model that is well: ${falsePages.length === 0 ? 'none' : falsePages.join('; ')}`)
  return falsePages.length === 0 && results.every(({ seconds }) => seconds !== null)
}

async function startHubProcess(workspace: Workspace) {
  const [api, http, grpc] = await freePorts(3)
  const process = startLongpole(workspace, 'hub', ['hub', '--data', `${workspace.directory}/hub-data`], {
    LONGPOLE_LISTEN_API: `127.0.0.1:${api}`,
    LONGPOLE_LISTEN_OTLP_HTTP: `127.0.0.1:${http}`,
    LONGPOLE_LISTEN_OTLP_GRPC: `127.0.0.1:${grpc}`,
  })
  const hub: Hub = { apiUrl: `http://127.0.0.1:${api}`, otlpUrl: `http://127.0.0.1:${http}` }
  await waitFor('hub', 60_000, async () => (await fetch(`${hub.apiUrl}/readyz`)).ok)
  return { hub, process }
}

/** Callers whose client is instrumented; each request goes to the next replica of its model. */
function startLoad(hub: Hub, targets: ReadonlyMap<string, string[]>): { stop(): Promise<void> } {
  const tracing = startTracing({ endpoint: hub.otlpUrl, serviceName: 'drill', flushOnExit: false })
  let made = 0
  const clients = new Map(
    [...targets].map(([model, urls]) => [
      model,
      urls.map((baseURL) => instrumentOpenAI(new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0, timeout: 600_000 }))),
    ]),
  )
  const ask = async (model: string, client: OpenAI): Promise<void> => {
    const messages = [{ role: 'user' as const, content: 'a question of a few words' }]
    for await (const _ of await client.chat.completions.create({ model, stream: true, messages, max_tokens: 20 }));
  }
  const timer = setInterval(() => {
    made++
    for (const [model, replicas] of clients) {
      const client = replicas[made % replicas.length]
      if (client !== undefined) void ask(model, client).catch(() => {})
    }
  }, 1_000 / RATE)
  return {
    stop: async () => {
      clearInterval(timer)
      await Promise.race([tracing.shutdown(), pause(2_000)])
    },
  }
}

async function startStack(workspace: Workspace, name: string, release: MonitoringRelease, hub: Hub): Promise<Stack> {
  const sink = await startSink()
  const deadman = await startDeadman({ host: '127.0.0.1', port: 0, withinSeconds: 180, notifyUrl: `${sink.url}/deadman`, log: () => {} })
  const manager = await startAlertmanager(
    release.alertmanager,
    alertmanagerConfig({ ...DEFAULT_ALERTMANAGER, receivers: ['webhook'], webhookUrl: `${sink.url}/webhook`, deadmanUrl: deadman.url }),
    notificationTemplates(),
  )
  const relay = await startRelay(Number(new URL(hub.apiUrl).port))
  const prometheus = await startPrometheus(release.prometheus, {
    scrape: [{ target: relay.target, interval: '15s' }],
    evaluationInterval: '30s',
    rules: Object.fromEntries([...expectedFiles()].filter(([path]) => !path.includes('/'))),
    alertmanager: manager.url,
  })
  workspace.defer(async () => {
    await prometheus[Symbol.asyncDispose]()
    await manager[Symbol.asyncDispose]()
    await deadman.close()
    relay.close()
    await sink[Symbol.asyncDispose]()
  })
  return { name: `${name} (${release.name})`, sink, manager, prometheus, deadman, relay }
}

/** The scrape goes through here, so that it can be cut while both ends live. */
async function startRelay(port: number): Promise<{ target: string; close(): void }> {
  const sockets = new Set<{ destroy(): void }>()
  const server: RelayServer = createRelay((socket) => {
    const upstream = dial(port, '127.0.0.1')
    for (const end of [socket, upstream]) {
      sockets.add(end)
      end.on('error', () => end.destroy())
      end.on('close', () => sockets.delete(end))
    }
    socket.pipe(upstream).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { target: `127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

function pagesOf({ sink }: Stack): (Notification & { atMs: number })[] {
  return sink.received
    .filter(({ path }) => path === '/webhook')
    .map(({ body, atMs }) => ({ ...(JSON.parse(body) as Notification), atMs }))
    .filter(({ alerts }) => alerts.some(({ labels }) => labels.channel === 'page'))
}

/** The first page of the model, and the first that names phase and slice. */
async function outage(stack: Stack, model: string, what: string, sinceMs: number): Promise<Result[]> {
  const isAbout = ({ path, body }: { path: string; body: string }, isLocalized: boolean) => {
    if (path !== '/webhook') return false
    const { groupLabels, alerts } = JSON.parse(body) as Notification
    const ours = alerts.filter(({ labels }) => labels.channel === 'page')
    return groupLabels.model === model && ours.some(({ annotations }) => !isLocalized || namesBoth(annotations.cause ?? ''))
  }
  const results: Result[] = []
  for (const isLocalized of [false, true]) {
    const found = await stack.sink.wait((received) => isAbout(received, isLocalized), OUTAGE_LIMIT_MS).catch(() => null)
    const alerts = found === null ? [] : (JSON.parse(found.body) as Notification).alerts
    const best = alerts.find(({ annotations }) => !isLocalized || namesBoth(annotations.cause ?? ''))
    const missing = PAGE_FIELDS.filter((field) => !best?.annotations[field])
    results.push({
      what: `${what}: ${isLocalized ? 'page with phase and slice' : 'first page'}`,
      stack: stack.name,
      seconds: found === null ? null : secondsSince(found.atMs, sinceMs),
      by: best?.labels.alertname ?? '',
      note: `${best?.annotations.cause ?? ''}${missing.length > 0 ? `; missing ${missing.join(' ')}` : ''}`,
    })
  }
  return results
}

/** A phase, and a replica, pool, revision or the whole fleet. */
function namesBoth(cause: string): boolean {
  return !cause.startsWith('not localized') && /^[a-z_.]+ in \S/.test(cause) && !cause.startsWith('phase unknown')
}

const isDeadmanAlarm = ({ path, body }: { path: string; body: string }) => path === '/deadman' && body.includes('"firing"')
const isAbsent = ({ path, body }: { path: string; body: string }) => path === '/webhook' && body.includes('"LLMTelemetryAbsent"')

async function drill(
  stack: Stack,
  what: string,
  sinceMs: number,
  fits: (received: { path: string; body: string }) => boolean,
): Promise<Result> {
  const found = await stack.sink.wait(fits, DRILL_LIMIT_MS).catch(() => null)
  const by = fits === isAbsent ? 'LLMTelemetryAbsent' : "dead-man's switch"
  return { what, stack: stack.name, seconds: found === null ? null : secondsSince(found.atMs, sinceMs), by, note: '' }
}

/** `atMs` is on the monotonic clock of this process. */
function secondsSince(atMs: number, wallMs: number): number {
  return Math.round(performance.timeOrigin + atMs - wallMs) / 1_000
}

function report(results: readonly Result[]): void {
  if (values.json) console.log(JSON.stringify(results))
  else
    for (const { what, stack, seconds, by, note } of results)
      console.log(`${what} | ${stack} | ${seconds === null ? '–' : `${seconds.toFixed(0)} s`} | ${by} | ${note}`)
}

function say(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`)
}

await runProgram(main)
