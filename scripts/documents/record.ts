// docs/record.md, from the column table and the phases of the model.
import { OVERLAYS, PHASES, phaseColumn } from '@longpole/model/phase'
import { COLUMN_GROUPS, type ColumnDefinition } from '@longpole/model/request-columns'
import { PROMPT_CLASSES } from '@longpole/model/request-record'
import { LIST_COLUMNS, REQUESTS } from '../../collector/store/schema/requests.ts'
import { code, GENERATED, markdownTable } from './markdown.ts'

const TYPES = new Map(REQUESTS.columns.map((column) => [column.name, column.type]))

export function describeRecord(): string {
  const groups = Object.entries(COLUMN_GROUPS).map(
    ([group, columns]) => `### ${group}\n\n${markdownTable(['column', 'kind', 'in the store', 'meaning'], columns.map(rowOf))}`,
  )
  const phases = PHASES.map(({ id, owner, beforeFirstToken, description }) => [
    code(id),
    code(phaseColumn(id)),
    owner,
    beforeFirstToken ? 'yes' : '',
    description,
  ])
  return `# The request record

${GENERATED}

One record for each LLM call as the caller meant it; tries of it are attempts of the record. Unknown is null, never 0. Durations are seconds, instants
nanoseconds since the Unix epoch. A record closes once and may be amended by late spans; readers see the newest version.

## Columns

${groups.join('\n\n')}

## Phases

The phases of a request add up: for the outermost vantage seen, the sum of its phases, \`unattributed\` included, is \`e2e\`. Each has a source, an exactness
(\`measured\`, \`upper_bound\`: contains something else too, \`residual\`: what is left between two measured points of one clock) and, where two clocks were
compared, the half-width of its error. In tables each phase is a column in seconds, with \`_source\`, \`_exactness\` and \`_error\` beside it.

${markdownTable(['phase', 'column', 'at fault', 'before the first token', 'meaning'], phases)}

Shown beside the phases, never in the sum: ${OVERLAYS.map(code).join(', ')}.

## Lists

${LIST_COLUMNS.map(code).join(', ')} hold JSON text in tables and are lists in the API.

## Input-length classes

${markdownTable(
  ['class', 'prompt tokens up to'],
  PROMPT_CLASSES.map(({ id, maxTokens }) => [code(id), Number.isFinite(maxTokens) ? String(maxTokens) : 'any']),
)}
`
}

function rowOf({ name, kind, nullable, description, unit }: ColumnDefinition): string[] {
  return [
    code(name),
    nullable ? kind : `${kind}, always there`,
    code(TYPES.get(name) ?? ''),
    unit === undefined ? description : `${description} (${unit})`,
  ]
}
