// Reads longpole.yaml: environment over file over default. Wrong configuration throws at start, naming file, line, key, what was
// expected and what came.
import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { type Document, isCollection, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { environmentVariables, readEnvironment } from './environment.ts'
import { expectation } from './expectation.ts'
import { type Config, configSchema } from './schema.ts'
import { MASK, maskSecrets } from './secret.ts'

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly exitStatus = 2
}

export interface LoadOptions {
  /** Path of longpole.yaml; without it only environment and defaults count. */
  file?: string | undefined
  environment?: Record<string, string | undefined>
  /** What the command line says; over everything. Keys as in the file. */
  overrides?: Record<string, unknown>
}

/** The effective configuration. Throws ConfigError with every mistake at once, one a line. */
export function loadConfig({ file, environment = process.env, overrides = {} }: LoadOptions = {}): Config {
  const source = file === undefined ? emptySource() : readSource(file)
  const { values, origins } = readEnvironment(environment)
  const merged = merge(merge(source.value, values), overrides)
  const result = configSchema.safeParse(merged)
  if (!result.success) {
    throw new ConfigError(result.error.issues.flatMap((issue) => describe(issue, merged, source, origins)).join('\n'))
  }
  return applyOpenTelemetry(result.data, environment)
}

/** The effective configuration as text, secrets masked: printed at start and served by the API. */
export function describeConfig(config: Config): Config {
  return maskSecrets(config)
}

export { environmentVariables }

interface Source {
  name: string
  value: Record<string, unknown>
  document: Document | null
  lines: LineCounter
}

function emptySource(): Source {
  return { name: 'configuration', value: {}, document: null, lines: new LineCounter() }
}

function readSource(file: string): Source {
  const path = isAbsolute(file) ? file : resolve(file)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [first] = document.errors
  if (first !== undefined) {
    const { line } = lines.linePos(first.pos[0])
    throw new ConfigError(`${file}:${line}: not valid YAML: ${first.message.split('\n')[0]}`)
  }
  const value: unknown = document.toJS() ?? {}
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new ConfigError(`${file}:1: expected a map of keys, got ${show(value)}`)
  }
  return { name: file, value: value as Record<string, unknown>, document, lines }
}

function merge(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...base }
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue
    const current = merged[key]
    merged[key] = isMap(value) && isMap(current) ? merge(current, value) : value
  }
  return merged
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function describe(issue: z.core.$ZodIssue, merged: unknown, source: Source, origins: Map<string, string>): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${place([...issue.path, key], source, origins)}: unknown key${suggestion(key, issue.path)}`)
  }
  const value = issue.path.reduce<unknown>((current, key) => (current as Record<PropertyKey, unknown> | undefined)?.[key], merged)
  const shown = isSecret(issue.path) ? MASK : show(value)
  return [`${place(issue.path, source, origins)}: expected ${expectation(issue)}, got ${shown}`]
}

function isSecret(path: PropertyKey[]): boolean {
  const probe = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), 'x')
  return JSON.stringify(maskSecrets(probe)).includes(MASK)
}

/** `longpole.yaml:12: listen.api`, or the environment variable that the value came from. */
function place(path: PropertyKey[], source: Source, origins: Map<string, string>): string {
  const key = path.map(String).join('.')
  for (let length = path.length; length > 0; length--) {
    const variable = origins.get(path.slice(0, length).map(String).join('.'))
    if (variable !== undefined) return `${variable} (${key})`
  }
  const line = lineOf(path, source)
  return `${source.name}${line === null ? '' : `:${line}`}: ${key}`
}

function lineOf(path: PropertyKey[], { document, lines }: Source): number | null {
  if (document === null) return null
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    if (!isCollection(parent)) continue
    const name = path[length - 1]
    for (const item of parent.items as {
      key?: { value?: unknown; range?: [number, number, number] }
      range?: [number, number, number]
    }[]) {
      if (item.key?.range !== undefined && String(item.key.value) === String(name)) return lines.linePos(item.key.range[0]).line
    }
    const node = parent.items[Number(name)] as { range?: [number, number, number] } | undefined
    if (node?.range !== undefined) return lines.linePos(node.range[0]).line
  }
  return null
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

function suggestion(key: string, path: PropertyKey[]): string {
  const section = path.reduce<unknown>(
    (current, part) => (current as Record<PropertyKey, unknown> | undefined)?.[part],
    configSchema.parse({}),
  )
  const known = isMap(section) ? Object.keys(section) : []
  const wanted = key.toLowerCase().replaceAll(/[-_]/g, '')
  const near = known.find((candidate) => candidate.toLowerCase() === wanted)
  if (near !== undefined) return `, did you mean ${near}?`
  return known.length === 0 ? '' : `; known here: ${known.join(', ')}`
}

/**
 * OpenTelemetry's own variables for the exporter, where the configuration says nothing. An endpoint that is this hub itself (the
 * usual value on a machine whose programs send to it) is not taken: settled requests would come back as new ones.
 */
function applyOpenTelemetry(config: Config, environment: Record<string, string | undefined>): Config {
  const endpoint = environment.OTEL_EXPORTER_OTLP_ENDPOINT
  const { otlp } = config.exporters
  if (endpoint === undefined || endpoint === '' || otlp.endpoint !== null || !URL.canParse(endpoint)) return config
  const { hostname, port } = new URL(endpoint)
  const own = [config.listen.otlpHttp, config.listen.otlpGrpc].map((address) => address.slice(address.lastIndexOf(':') + 1))
  if (['localhost', '127.0.0.1', '[::1]'].includes(hostname) && own.includes(port)) return config
  return { ...config, exporters: { ...config.exporters, otlp: { ...otlp, endpoint } } }
}
