// The floors of ARCHITECTURE.md as a table: imports only go down, and rooms on one floor never import each other.
import type { Reference } from './imports.ts'

interface Room {
  /** Folder prefix; the longest match wins. */
  path: string
  floor: number
  /** Rooms of the same floor that this one may use, with the reason beside it. */
  beside?: readonly string[]
  /** Rooms below that it may not use all the same. */
  never?: readonly string[]
}

export const ROOMS: readonly Room[] = [
  { path: 'src/model', floor: 0 },
  { path: 'src/wire', floor: 0.5 },
  { path: 'src/config', floor: 0.5 },
  // The SDK costs its host one peer dependency: it stands on the model alone.
  { path: 'src/sdk', floor: 1, never: ['src/wire', 'src/config'] },
  { path: 'src/engines', floor: 1 },
  { path: 'src/localizer', floor: 1, never: ['src/wire', 'src/config'] },
  // Written from recorded pages and OpenTelemetry's own encoder, so that a codec's mistake cannot cancel itself out.
  { path: 'src/simulator', floor: 1, never: ['src/wire'] },
  { path: 'collector/receivers/proxy', floor: 2 },
  { path: 'collector/receivers/otlp', floor: 2 },
  { path: 'collector/receivers/scrape', floor: 2 },
  { path: 'collector/processors/redact', floor: 2 },
  { path: 'collector/processors/limit', floor: 2 },
  { path: 'collector/processors/correlate', floor: 2 },
  { path: 'collector/exporters/otlp', floor: 2 },
  { path: 'collector/exporters/prometheus', floor: 2 },
  { path: 'collector/extensions/auth', floor: 2 },
  { path: 'collector/extensions/tenant', floor: 2 },
  { path: 'collector/store', floor: 2 },
  { path: 'collector/console', floor: 2 },
  { path: 'dashboards', floor: 2, beside: ['alerts'] },
  { path: 'alerts', floor: 2 },
  { path: 'collector/sidecar', floor: 3, never: ['collector/store', 'collector/exporters/prometheus', 'src/localizer', 'src/simulator'] },
  { path: 'collector/hub', floor: 3, never: ['src/simulator', 'src/sdk'] },
  { path: 'src/cli', floor: 4 },
  { path: 'scripts', floor: 5 },
  { path: 'bench', floor: 5 },
  { path: 'test', floor: 5 },
  { path: 'examples', floor: 5 },
  // What only tests and benches of the rules use.
  { path: 'alerts/testing', floor: 5 },
]

export function roomOf(path: string): Room | undefined {
  return ROOMS.filter((room) => path === room.path || path.startsWith(`${room.path}/`)).sort((a, b) => b.path.length - a.path.length)[0]
}

/** Sentences, one a violation. Tests may use anything below floor 5 in their own neighbourhood, so they are held to `never` only. */
export function floorViolations(references: readonly Reference[]): string[] {
  const violations: string[] = []
  for (const { from, to, line } of references) {
    const here = roomOf(from)
    const there = roomOf(to)
    if (here === undefined || there === undefined || here === there || from.includes('.test.')) continue
    const where = `${from}:${line} reaches ${to}`
    if (here.never?.includes(there.path)) violations.push(`${where}: ${here.path} never uses ${there.path}`)
    else if (there.floor > here.floor)
      violations.push(`${where}: ${there.path} (floor ${there.floor}) is above ${here.path} (floor ${here.floor})`)
    else if (there.floor === here.floor && here.floor < 4 && !here.beside?.includes(there.path)) {
      violations.push(`${where}: rooms on one floor never import each other`)
    }
  }
  return violations
}
