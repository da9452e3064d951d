// The part of the demo's fleet that is on real sockets: engines' HTTP servers, a real sidecar before each, and a client program that is
// instrumented with the SDK. The same engines serve the rest of the fleet's traffic too.
import { type ChildProcess, fork } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { SimRequest } from '../../simulator/core/request.ts'
import type { Engine } from '../../simulator/engine/engine.ts'
import { createEngineServer, type EngineServer } from '../../simulator/serve/engine-server.ts'
import type { World } from '../../simulator/world.ts'
import type { ClientSettings } from './client-process.ts'
import { createOtlpClient, type OtlpClient } from './otlp-client.ts'
import { type SidecarChild, startSidecarChild } from './sidecar-child.ts'

/** Requests a second of the client program, of all replicas together. */
const CLIENT_RATE = 1.5
const CLIENT = fileURLToPath(new URL('./client-process.ts', import.meta.url))

export interface SocketFleetOptions {
  /** Base address of the hub's OTLP receiver. */
  otlp: string
  unixSeconds(): number
  catchUp(): number
  onTrouble(message: string): void
}

export class SocketFleet {
  private readonly world: World
  private readonly pool: World['fleet']['pools'][number] | undefined
  private readonly replicas: ReadonlySet<string>
  private readonly servers = new Map<Engine, EngineServer>()
  private readonly engineSpans = new Map<Engine, OtlpClient>()
  private readonly sidecars: SidecarChild[] = []
  private client: ChildProcess | null = null

  constructor(world: World) {
    this.world = world
    this.pool = world.fleet.pools.find((entry) => !entry.model.disaggregated && !entry.model.reasoning)
    this.replicas = new Set(this.pool?.engines.map(({ spec }) => spec.name))
  }

  /** The replica is, or is about to be, on a socket: its samples come from real scrapes alone, or two sources would contradict each other. */
  has(replica: string): boolean {
    return this.replicas.has(replica)
  }

  /** Rejects when a server or a sidecar does not come up. */
  async start(options: SocketFleetOptions): Promise<number> {
    const { otlp } = options
    const { world, pool } = this
    if (pool === undefined) return 0
    const tenant = world.tenants.find(({ closedLoop }) => !closedLoop) as World['tenants'][number]
    const targets = await Promise.all(
      pool.engines.map(async (engine) => {
        const served = createEngineServer({ ...options, world, engine, model: pool.model, tenant })
        this.servers.set(engine, served)
        const port = await listen(served)
        const sidecar = await startSidecarChild(engine.spec, `http://127.0.0.1:${port}`, otlp)
        this.sidecars.push(sidecar)
        this.engineSpans.set(engine, createOtlpClient(sidecar.otlp ?? otlp, options.onTrouble))
        return sidecar.proxy
      }),
    )
    const settings: ClientSettings = { targets, model: pool.model.name, rate: CLIENT_RATE, otlp, tenant: 'demo-app', seed: world.seed }
    this.client = fork(CLIENT, [JSON.stringify(settings)], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    return targets.length
  }

  /** A request of these engines has ended, whoever sent it. */
  observe(request: SimRequest): void {
    if (request.engine !== null && request.outcome === 'ok') this.servers.get(request.engine)?.observe(request)
  }

  /** Where the spans of a request from a socket go: through the sidecar beside its engine. */
  spansOf(request: SimRequest): OtlpClient | null {
    return request.external === null || request.engine === null ? null : (this.engineSpans.get(request.engine) ?? null)
  }

  stop(): void {
    this.client?.kill()
    for (const sidecar of this.sidecars) sidecar.stop()
    for (const { server } of this.servers.values()) {
      server.close()
      server.closeAllConnections()
    }
  }
}

function listen({ server }: EngineServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
