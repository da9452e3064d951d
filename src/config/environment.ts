// LONGPOLE_* variables: one for each key of the schema, found by walking it. `store.retentionDays` is LONGPOLE_STORE_RETENTION_DAYS.
import { parse } from 'yaml'
import { z } from 'zod'
import { configSchema } from './schema.ts'

export interface ConfigKey {
  /** Path in the file, for example `store.retentionDays`. */
  key: string
  variable: string
  description: string
  /** JSON Schema of the value. */
  schema: JsonSchema
  default: unknown
}

export interface JsonSchema {
  type?: string | string[]
  description?: string
  default?: unknown
  properties?: Record<string, JsonSchema>
  items?: JsonSchema
  enum?: unknown[]
  anyOf?: JsonSchema[]
  additionalProperties?: JsonSchema | boolean
}

let keys: ConfigKey[] | undefined

/** Every key of the configuration with its variable, in the order of the schema. */
export function environmentVariables(): ConfigKey[] {
  keys ??= walk(jsonSchema(), [], configSchema.parse({}))
  return keys
}

/** The schema as JSON Schema (draft 2020-12), as editors use it. */
export function jsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
}

function walk(schema: JsonSchema, path: string[], defaults: unknown): ConfigKey[] {
  if (schema.properties === undefined) {
    const key = path.join('.')
    return [{ key, variable: variableOf(path), description: schema.description ?? '', schema, default: defaults }]
  }
  return Object.entries(schema.properties).flatMap(([name, child]) =>
    walk(child, [...path, name], (defaults as Record<string, unknown> | undefined)?.[name]),
  )
}

function variableOf(path: string[]): string {
  return `LONGPOLE_${path.map((part) => part.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_')}`
}

/** Values of the variables that are set, as a tree, and by key the variable each came from. Lists and maps are written as YAML. */
export function readEnvironment(environment: Record<string, string | undefined>): {
  values: Record<string, unknown>
  origins: Map<string, string>
} {
  const values: Record<string, unknown> = {}
  const origins = new Map<string, string>()
  for (const { key, variable, schema } of environmentVariables()) {
    const text = environment[variable]
    if (text === undefined || text === '') continue
    const path = key.split('.')
    let target = values
    for (const part of path.slice(0, -1)) {
      target[part] ??= {}
      target = target[part] as Record<string, unknown>
    }
    target[path.at(-1) as string] = isText(schema) ? text : readYaml(text)
    origins.set(key, variable)
  }
  return { values, origins }
}

/** A value that may only be text is taken as it is: a password `0123` is no number. */
function isText(schema: JsonSchema): boolean {
  if (schema.anyOf !== undefined) return schema.anyOf.every((entry) => entry.type === 'null' || isText(entry))
  return schema.type === 'string'
}

function readYaml(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return text
  }
}
