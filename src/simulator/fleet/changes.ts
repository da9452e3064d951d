// Changes that happen in every fleet and harm nobody: deploys, flags, router settings. A localizer must not blame them.
import type { ChangeEvent, ChangeKind } from '@longpole/model/change-event'
import type { EventHandler } from '../core/event-queue.ts'
import type { SimRequest } from '../core/request.ts'
import { instantOf, type World } from '../world.ts'

/** Mean seconds between two of them. */
const MEAN_SECONDS = 1_100

export function announceInnocentChanges(world: World): void {
  const random = world.random('changes')
  const pending: ChangeEvent[] = []
  const handler: EventHandler<SimRequest | null> = { handle: (_now, kind) => world.announce(pending[kind] as ChangeEvent) }
  for (let at = -Math.log(random.uniform()) * MEAN_SECONDS; at < world.until; at += -Math.log(random.uniform()) * MEAN_SECONDS) {
    const pool = random.pick(world.fleet.pools)
    const engine = random.pick([...pool.engines, ...pool.prefillEngines])
    const kind = random.pick<ChangeKind>(['config', 'deploy', 'route', 'note'])
    const index = pending.length
    pending.push({
      id: `change-${random.suffix(8)}`,
      kind,
      unix_ns: instantOf(world, at),
      scope:
        kind === 'note' ? {} : kind === 'route' ? { region: [pool.region], model: [pool.model.name] } : { replica: [engine.spec.name] },
      title: titleOf(kind, engine.spec.name, pool.model.name),
      source: random.pick(['argo', 'flux', 'api']),
      from_value: null,
      to_value: null,
    })
    world.queue.schedule(at, handler, index, null)
  }
}

function titleOf(kind: ChangeKind, replica: string, model: string): string {
  if (kind === 'config') return `log level of ${replica} changed`
  if (kind === 'deploy') return `metrics exporter beside ${replica} updated`
  if (kind === 'route') return `router of ${model}: access log switched on`
  return 'weekly report published'
}
