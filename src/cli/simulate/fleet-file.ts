// `longpole simulate --fleet FILE`: a fleet as YAML, checked before anything runs. Every mistake names file, line, key, what was expected
// and what came.
import { readFileSync } from 'node:fs'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { expectation } from '../../config/expectation.ts'
import { type DecodeTiming, type PrefillTiming, TIMINGS } from '../../simulator/engine/timing.ts'
import { SERVING_REGIONS } from '../../simulator/fleet/distances.ts'
import type { FleetPlan } from '../../simulator/fleet/plan.ts'
import { InputError } from '../input-error.ts'

/** Replicas of one part of a model in one region, ranks of a replica, models: what a laptop can hold. */
const MOST = { count: 64, ranks: 64, models: 16, adapters: 256 }
const DECODE = ['deepseek-wide-ep-decode', 'deepseek-ep32-decode', 'qwen3-8b-decode'] as const
const PREFILL = ['deepseek-ep32-prefill', 'deepseek-ep16-prefill', 'deepseek-ep8-prefill', 'qwen3-8b-prefill'] as const

const name = z.string().regex(/^[\w./-]{1,64}$/, 'a name of letters, digits, . / _ and -')
const positive = z.number().positive()
const whole = z.int().positive()

const decodeTiming = z.union([
  z.enum(DECODE).transform((id): DecodeTiming => TIMINGS[id]),
  z.strictObject({ baseMs: positive, perSequenceMs: z.number().nonnegative(), perContextKilotokenMs: z.number().nonnegative() }).transform(
    ({ baseMs, perSequenceMs, perContextKilotokenMs }): DecodeTiming => ({
      base: baseMs / 1e3,
      perSequence: perSequenceMs / 1e3,
      perContextToken: perContextKilotokenMs / 1e6,
      communicationShare: 0,
      memoryShare: 0.5,
    }),
  ),
])
const prefillTiming = z.union([
  z.enum(PREFILL).transform((id): PrefillTiming => TIMINGS[id]),
  z.strictObject({ baseMs: positive, perKilotokenMs: positive, perSquareKilotokenMs: z.number().nonnegative() }).transform(
    ({ baseMs, perKilotokenMs, perSquareKilotokenMs }): PrefillTiming => ({
      base: baseMs / 1e3,
      perToken: perKilotokenMs / 1e6,
      perSquare: perSquareKilotokenMs / 1e9,
    }),
  ),
])

const part = z.strictObject({
  role: z.enum(['both', 'prefill', 'decode']),
  count: whole.max(MOST.count),
  ranks: whole.max(MOST.ranks).default(1),
  decode: decodeTiming,
  prefill: prefillTiming,
  kvTokens: whole,
  maxSequences: whole.default(128),
  maxBatchedTokens: whole.default(4_096),
})

const model = z.strictObject({
  model: name,
  engine: z.enum(['vllm', 'sglang']),
  reasoning: z.boolean().default(false),
  adapters: z.int().nonnegative().max(MOST.adapters).default(0),
  router: z.enum(['round_robin', 'least_loaded', 'prefix_affinity']).default('prefix_affinity'),
  gpuTypes: z.array(name).min(1).default(['H200']),
  quantization: name.default('fp8'),
  versions: z.tuple([name, name]).default(['1.0.0', '1.1.0']),
  speculation: z
    .strictObject({ drafts: whole.max(8), acceptance: positive.lt(1) })
    .nullable()
    .default(null),
  kvBytesPerToken: positive.default(70_272),
  trafficShare: positive.max(1),
  replicas: z.array(part).min(1).max(3),
})

const fleet = z.strictObject({
  regions: z
    .array(z.enum(SERVING_REGIONS))
    .min(1)
    .default([...SERVING_REGIONS]),
  models: z.array(model).min(1).max(MOST.models),
})

type FleetFile = z.output<typeof fleet>

/** Throws InputError with every mistake, one a line. */
export function readFleetFile(file: string): FleetPlan {
  const lines = new LineCounter()
  const document = parseDocument(readText(file), { lineCounter: lines })
  const [broken] = document.errors
  if (broken !== undefined) {
    throw new InputError(`--fleet: ${file}:${lines.linePos(broken.pos[0]).line}: not valid YAML: ${broken.message.split('\n')[0]}`)
  }
  const at = (path: PropertyKey[]) => `--fleet: ${file}:${lineOf(document, lines, path)}: ${path.map(String).join('.') || 'fleet'}`
  const result = fleet.safeParse(document.toJS() ?? {})
  if (!result.success) {
    throw new InputError(result.error.issues.flatMap((issue) => describe(issue, document, at)).join('\n'))
  }
  const impossible = contradictions(result.data).map(({ path, sentence }) => `${at(path)}: ${sentence}`)
  if (impossible.length > 0) throw new InputError(impossible.join('\n'))
  return planOf(result.data)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new InputError(`--fleet: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** Line of the key, or of the nearest thing around it that exists. */
function lineOf(document: Document, lines: LineCounter, path: PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return 1
}

function describe(issue: z.core.$ZodIssue, document: Document, at: (path: PropertyKey[]) => string): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${at([...issue.path, key])}: unknown key`)
  const got = document.getIn(issue.path)
  const shown = got === undefined ? 'nothing' : isNode(got) ? String(got).trim().split('\n')[0] : JSON.stringify(got)
  return [`${at(issue.path)}: expected ${expectation(issue)}, got ${shown}`]
}

interface Contradiction {
  path: PropertyKey[]
  sentence: string
}

/** What is well formed and still cannot be built. */
function contradictions({ models, regions }: FleetFile): Contradiction[] {
  const found: Contradiction[] = []
  if (new Set(regions).size < regions.length) found.push({ path: ['regions'], sentence: 'expected every region once' })
  const seen = new Set<string>()
  models.forEach((entry, index) => {
    const roles = entry.replicas.map(({ role }) => role)
    const path = ['models', index, 'replicas']
    if (seen.has(entry.model))
      found.push({ path: ['models', index, 'model'], sentence: `expected a name of its own, got ${entry.model} again` })
    seen.add(entry.model)
    if (new Set(roles).size < roles.length) found.push({ path, sentence: `expected every role once, got ${roles.join(', ')}` })
    if (roles.includes('prefill') !== roles.includes('decode'))
      found.push({ path, sentence: `prefill and decode replicas need each other, got ${roles.join(', ')}` })
    if (roles.includes('both') && roles.length > 1)
      found.push({ path, sentence: `expected either role both, or prefill and decode, got ${roles.join(', ')}` })
    entry.replicas.forEach((replica, position) => {
      if (replica.maxBatchedTokens <= replica.maxSequences && replica.role === 'both') {
        const sentence = `expected more than maxSequences (${replica.maxSequences}), or a full batch leaves no room for prompts; got ${replica.maxBatchedTokens}`
        found.push({ path: [...path, position, 'maxBatchedTokens'], sentence })
      }
    })
  })
  return found
}

function planOf({ regions, models }: FleetFile): FleetPlan {
  return {
    regions,
    models: models.map(({ engine, router, replicas, ...rest }) => ({
      ...rest,
      kind: engine,
      policy: router,
      parts: replicas.map(({ decode, prefill, ...part }) => ({ ...part, timing: { decode, prefill } })),
    })),
  }
}
