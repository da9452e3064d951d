// Which columns of a file the localizer needs: those named on the command line, and those that product records have under known names.
import { REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS } from '@longpole/model/request-record'

export interface WantedColumns {
  time: string
  target: string
  dimensions: string[] | null
  phases: string[] | null
  covariates: string[] | null
  weight: string | null
}

export type ColumnUse = 'time' | 'dimension' | 'number' | 'both'

const DIMENSION_KINDS: ReadonlySet<string> = new Set(['dictionary'])
const NUMBER_KINDS: ReadonlySet<string> = new Set(['count', 'seconds', 'ratio', 'number', 'flag'])

/** Decides by name what a column of the file is read as; null: not needed. */
export function createColumnUse(wanted: WantedColumns): (name: string) => ColumnUse | null {
  const uses = new Map<string, ColumnUse>()
  for (const column of REQUEST_COLUMNS) {
    if (DIMENSION_KINDS.has(column.kind)) uses.set(column.name, 'dimension')
    else if (NUMBER_KINDS.has(column.kind)) uses.set(column.name, 'number')
  }
  if (wanted.phases === null) for (const phase of PHASE_COLUMNS) uses.set(phase.seconds, 'number')
  for (const name of [...(wanted.phases ?? []), ...(wanted.covariates ?? [])]) uses.set(name, 'number')
  if (wanted.weight !== null) uses.set(wanted.weight, 'number')
  if (wanted.target !== 'outcome') uses.set(wanted.target, 'number')
  for (const name of wanted.dimensions ?? []) uses.set(name, uses.get(name) === 'number' ? 'both' : 'dimension')
  uses.set(wanted.time, uses.get(wanted.time) === 'dimension' ? 'both' : 'time')
  return (name) => uses.get(name) ?? null
}
