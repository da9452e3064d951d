// The one table of the console: a head, rows with a head of their own, numbers to the right; scrolls sideways by itself where it is wide.
import type { ReactNode } from 'react'
import { Scroll } from './scroll.tsx'

export interface Column<Row> {
  title: string
  /** `head`: names the row. `wide`: a bar. `clip`: one line, cut where it is too long. */
  kind?: 'head' | 'number' | 'wide' | 'clip'
  cell(row: Row): ReactNode
  /** Marks a value that should be looked at. */
  isWarning?(row: Row): boolean
}

export function Table<Row>({
  label,
  columns,
  rows,
  keyOf,
}: {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
}): ReactNode {
  return (
    <Scroll label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, kind }) => (
              <th key={title} scope="col" className={kind === 'number' || kind === 'wide' ? kind : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <Cell key={column.title} column={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

function Cell<Row>({ column: { kind, cell, isWarning }, row }: { column: Column<Row>; row: Row }): ReactNode {
  if (kind === 'head') return <th scope="row">{cell(row)}</th>
  return <td className={[kind, isWarning?.(row) === true && 'warn'].filter(Boolean).join(' ') || undefined}>{cell(row)}</td>
}
