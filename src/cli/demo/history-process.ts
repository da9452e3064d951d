// Makes the demo's history in a process of its own: the same fleet in virtual time, as fast as it goes, in blocks for the hub's store.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import { createTenants } from '../../../collector/extensions/tenant/tenant.ts'
import { encodeArrowStream, recordSchema, toArrowBatch } from '../../simulator/output/arrow.ts'
import { joinedColumns, toJoinedView } from '../../simulator/output/joined-view.ts'
import { RecordBatch } from '../../simulator/output/record-batch.ts'
import { RECORD_COLUMNS } from '../../simulator/output/record-columns.ts'
import { Simulation } from '../../simulator/simulation.ts'
import type { FleetSettings, HistoryBlock, ToHistory } from './messages.ts'

/** Virtual seconds that a block covers. */
const BLOCK_SECONDS = 300
const BLOCK_ROWS = 32_768
/** History is other traffic than what comes live, on the same fleet: ids must not meet. */
const TRAFFIC = 0x5eed

let next: (() => void) | null = null

process.on('message', (message: ToHistory) => {
  if (message.type === 'start') next = createHistory(message.settings)
  next?.()
})
process.on('disconnect', () => process.exit(0))

function createHistory({ seed, rate, liveFromMs, historySeconds, tenantKey }: FleetSettings): () => void {
  const startUnixNano = BigInt(liveFromMs - historySeconds * 1e3) * 1_000_000n
  const tenants = createTenants({ key: tenantKey, keyFile: null, classes: {}, defaultClass: 'default' })
  const hashed = (name: string) => tenants.identify(name)?.tenant ?? null
  const batch = new RecordBatch({ seed: seed ^ TRAFFIC, startUnixNano, hashed }, BLOCK_ROWS, joinedColumns(RECORD_COLUMNS))
  const schema = recordSchema()
  let samples: EngineSample[] = []
  let events: ChangeEvent[] = []
  const simulation = new Simulation({
    seed,
    trafficSeed: seed ^ TRAFFIC,
    seconds: historySeconds,
    rate,
    agents: 12,
    startUnixNano,
    onEnded(request) {
      toJoinedView(request)
      batch.append(request)
    },
    onSample: (sample) => samples.push(sample),
    onEvent: (event) => events.push(event),
  })
  return () => {
    if (simulation.now >= historySeconds) {
      // The parent has the last block.
      process.disconnect?.()
      return
    }
    simulation.run(simulation.now + BLOCK_SECONDS)
    const block: HistoryBlock = {
      arrow: encodeArrowStream([toArrowBatch(schema, batch)]),
      samples,
      events,
      rows: batch.rows,
      done: Math.max(0, simulation.now) / historySeconds,
    }
    batch.clear()
    samples = []
    events = []
    process.send?.(block)
  }
}
