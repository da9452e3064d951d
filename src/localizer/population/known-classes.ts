// A request's length class is a guess until its tokens are counted: open requests all have the default one. As a dimension it is
// unknown there, or everything that hangs would look like one class of prompts.
import type { DimensionColumn, Table } from '../table.ts'

const CLASS_OF: Readonly<Record<string, string>> = { prompt_class: 'prompt_tokens' }
const known = new WeakMap<DimensionColumn, DimensionColumn>()

export function knownClasses(table: Table, dimension: DimensionColumn): DimensionColumn {
  const tokens = table.numbers.get(CLASS_OF[dimension.name] ?? '')
  if (tokens === undefined || !tokens.some(Number.isNaN) || tokens.every(Number.isNaN)) return dimension
  const masked = known.get(dimension) ?? {
    ...dimension,
    ids: dimension.ids.map((id, row) => (Number.isNaN(tokens[row] as number) ? dimension.values.length : id)),
  }
  known.set(dimension, masked)
  return masked
}
