// The truth of every query of every board. A panel without one does not pass: a string says why there can be none.
import type { DashboardName } from '@longpole/model/conventions/links'
import type { Truth } from '../oracle/truth.ts'
import { clientAndNetwork, longpoleItself } from './edges.ts'
import {
  coldStartAndScaling,
  cost,
  decode,
  disaggregation,
  expertsAndRanks,
  prefillAndKvCache,
  queueAndCapacity,
  replica,
} from './engines.ts'
import { bottlenecks, fleetOverview, whereTheTimeGoes } from './fleet.ts'

/** By panel title: one truth a query in its order (null: a recording rule that is proven with the alerts), or why there is none. */
export type PanelTruths = Readonly<Record<string, readonly (Truth | null)[] | string>>

export const TRUTHS: Readonly<Record<DashboardName, PanelTruths>> = {
  'fleet-overview': fleetOverview,
  'where-the-time-goes': whereTheTimeGoes,
  bottlenecks,
  'queue-and-capacity': queueAndCapacity,
  'prefill-and-kv-cache': prefillAndKvCache,
  decode,
  disaggregation,
  'experts-and-ranks': expertsAndRanks,
  replica,
  'client-and-network': clientAndNetwork,
  'cold-start-and-scaling': coldStartAndScaling,
  cost,
  'longpole-itself': longpoleItself,
}
