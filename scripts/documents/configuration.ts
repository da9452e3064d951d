// docs/configuration.md and docs/generated/longpole.schema.json, from the schema in src/config.
import { type ConfigKey, environmentVariables, type JsonSchema, jsonSchema } from '../../src/config/environment.ts'
import { PRESETS } from '../../src/config/presets.ts'
import { code, GENERATED, markdownTable } from './markdown.ts'

export function configurationSchema(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`
}

export function describeConfiguration(): string {
  const sections = Object.entries(jsonSchema().properties ?? {}).map(([name, schema]) => describeSection(name, schema))
  return `# Configuration

${GENERATED}

The hub reads one file, \`longpole.yaml\` (\`longpole hub --config FILE\`). Every key has a variable, which is over the file, and a default, which is under it;
lists and maps in a variable are written as YAML (\`LONGPOLE_AUTH_TOKENS='[first, second]'\`). A mistake stops the start and names file, line, key, what was
expected and what came. \`GET /api/v1/config\` shows the effective configuration with its secrets masked. \`longpole hub --print-config\` prints it too.
Editors check the file against \`docs/generated/longpole.schema.json\`. \`OTEL_EXPORTER_OTLP_ENDPOINT\` stands in for \`exporters.otlp.endpoint\`, unless it is this hub itself.

\`\`\`yaml
listen:
  api: 127.0.0.1:7171
store:
  data: /var/lib/longpole
  retentionDays: 14
slo:
  presets:
    - { model: '*', preset: default }
    - { model: deepseek-r1, preset: mlperf-deepseek-r1-server }
  objectives:
    - { model: deepseek-r1, slo: ttft, objective: 0.99, thresholdSeconds: { 1k: 1.5, 8k: 3, 32k: 8, inf: 20 } }
\`\`\`

${sections.join('\n\n')}

## Presets of objectives

Limits in seconds for prompts of at most 1k tokens; TTFT limits grow with the input-length class (×2 to 8k, ×5 to 32k, ×15 above).

${markdownTable(
  ['preset', 'objectives'],
  Object.entries(PRESETS).map(([name, objectives]) => [code(name), objectives.map(describeObjective).join(', ')]),
)}
`
}

function describeObjective({
  slo,
  objective,
  thresholdSeconds,
}: {
  slo: string
  objective: number
  thresholdSeconds?: Record<string, number>
}): string {
  const limit = thresholdSeconds?.['1k']
  return `${slo}${limit === undefined ? '' : ` ≤ ${limit} s`} (${objective * 100} %)`
}

function describeSection(name: string, schema: JsonSchema): string {
  const keys = environmentVariables().filter(({ key }) => key === name || key.startsWith(`${name}.`))
  const isSection = schema.properties !== undefined
  const text = isSection && schema.description !== undefined ? `${schema.description}\n\n` : ''
  const items = keys.flatMap(describeItems)
  return `## ${name}\n\n${text}${markdownTable(['key', 'variable', 'default', 'meaning'], keys.map(rowOf))}${items.length === 0 ? '' : `\n\n${items.join('\n\n')}`}`
}

function rowOf({ key, variable, default: value, description, schema }: ConfigKey): string[] {
  const choices = schema.enum === undefined ? '' : ` One of ${schema.enum.map((choice) => code(String(choice))).join(', ')}.`
  return [code(key), code(variable), code(JSON.stringify(value) ?? ''), `${description}${choices}`]
}

/** Keys of the entries of a list. */
function describeItems({ key, schema }: ConfigKey): string[] {
  const { items } = schema
  if (items?.properties === undefined) return []
  const rows = Object.entries(items.properties).map(([name, entry]) => [
    code(name),
    entry.default === undefined ? '' : code(JSON.stringify(entry.default)),
    `${entry.description ?? ''}${entry.enum === undefined ? '' : ` One of ${entry.enum.map((choice) => code(String(choice))).join(', ')}.`}`,
  ])
  return [`Each entry of \`${key}\`:\n\n${markdownTable(['key', 'default', 'meaning'], rows)}`]
}
