// The boards there are. Adding one is a folder and a line here.

import type { Board } from './board.ts'
import { bottlenecks } from './bottlenecks/index.ts'
import { clientAndNetwork } from './client-and-network/index.ts'
import { coldStartAndScaling } from './cold-start-and-scaling/index.ts'
import { cost } from './cost/index.ts'
import { decode } from './decode/index.ts'
import { disaggregation } from './disaggregation/index.ts'
import { expertsAndRanks } from './experts-and-ranks/index.ts'
import { fleetOverview } from './fleet-overview/index.ts'
import { longpoleItself } from './longpole-itself/index.ts'
import { prefillAndKvCache } from './prefill-and-kv-cache/index.ts'
import { queueAndCapacity } from './queue-and-capacity/index.ts'
import { replica } from './replica/index.ts'
import { whereTheTimeGoes } from './where-the-time-goes/index.ts'

export const BOARDS: readonly Board[] = [
  fleetOverview,
  whereTheTimeGoes,
  bottlenecks,
  queueAndCapacity,
  prefillAndKvCache,
  decode,
  disaggregation,
  expertsAndRanks,
  replica,
  clientAndNetwork,
  coldStartAndScaling,
  cost,
  longpoleItself,
]
