// The store names phases by column, everybody else by id: what leaves the localizer's thread speaks of phases by their ids.
import type { Finding } from '@longpole/model/finding'
import { PHASE_COLUMNS } from '@longpole/model/request-record'

const IDS = new Map(PHASE_COLUMNS.map(({ seconds, phase }) => [seconds, phase]))
const COLUMN = new RegExp(`\\b(?:${[...IDS.keys()].sort((a, b) => b.length - a.length).join('|')})\\b`, 'g')

/** The same finding with `engine.decode` wherever it said `phase_engine_decode`, in fields and in sentences. */
export function withPhaseIds(finding: Finding): Finding {
  return JSON.parse(JSON.stringify(finding).replace(COLUMN, (column) => IDS.get(column) ?? column))
}
