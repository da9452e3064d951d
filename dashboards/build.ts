// `npm run dashboards`: writes dashboards/generated, which Grafana provisions and the tests compare with a fresh generation.
import { mkdirSync, writeFileSync } from 'node:fs'
import { buildBoard } from './board.ts'
import { BOARDS } from './index.ts'

const TITLES = new Map(BOARDS.map((board) => [board.name, board.title]))

/** File name → content of every generated dashboard. */
export function generateDashboards(): Map<string, string> {
  return new Map(BOARDS.map((board) => [`${board.name}.json`, `${JSON.stringify(buildBoard(board, TITLES), null, 2)}\n`]))
}

/** Writes all boards into a folder. */
export function writeDashboards(folder: URL): number {
  mkdirSync(folder, { recursive: true })
  const files = generateDashboards()
  for (const [name, content] of files) writeFileSync(new URL(name, folder), content)
  return files.size
}

if (import.meta.main) console.log(`dashboards/generated: ${writeDashboards(new URL('generated/', import.meta.url))} boards written`)
