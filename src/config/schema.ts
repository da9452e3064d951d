// The schema of longpole.yaml: every key with its meaning, its default and what it accepts. The type, the environment variables,
// docs/configuration.md and the errors a user sees derive from it.
import { PROMPT_CLASSES } from '@longpole/model/request-record'
import { SLO_NAMES } from '@longpole/model/slo'
import { z } from 'zod'
import { PRESET_NAMES } from './presets.ts'

/** At most so many classes of tenants: a class is a label of metrics. */
export const MAX_TENANT_CLASSES = 8

const address = z.string().refine((value) => isAddress(value), 'HOST:PORT, for example 127.0.0.1:7171 (port 0 takes a free one)')

function isAddress(value: string): boolean {
  const match = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):(\d{1,5})$/.exec(value)
  return match !== null && Number(match[1]) <= 65_535
}

const httpUrl = z.url({ protocol: /^https?$/, error: 'an http:// or https:// address' })
const share = z.number().gt(0).lt(1)
const seconds = z.number().positive()
const thresholds = z.union([
  seconds,
  z
    .partialRecord(z.enum(PROMPT_CLASSES.map((entry) => entry.id)), seconds)
    .refine((value) => Object.keys(value).length > 0, 'at least one class'),
])

const listen = z
  .strictObject({
    api: address.default('127.0.0.1:7171').describe('API, console and /metrics of the hub.'),
    otlpHttp: address.default('127.0.0.1:4318').describe('OTLP over HTTP (protobuf and JSON).'),
    otlpGrpc: address.default('127.0.0.1:4317').describe('OTLP over gRPC.'),
  })
  .describe('Listeners. One that is not on a loopback address needs `auth.tokens` or `auth.tokenFile`: without, the hub refuses to start.')

const auth = z
  .strictObject({
    tokens: z
      .array(z.string().min(16, 'at least 16 characters'))
      .default([])
      .describe('Bearer tokens that are accepted; several at once allow rotation. Kept in memory as hashes, compared in constant time.'),
    tokenFile: z.string().nullable().default(null).describe('File with one token per line, read at start, instead of or beside `tokens`.'),
    allowedHosts: z
      .array(z.string())
      .default([])
      .describe(
        'Host names, beside loopback and the listener itself, that a browser may address the API by: protection against DNS rebinding.',
      ),
  })
  .describe('Who may talk to the hub.')

const store = z
  .strictObject({
    data: z.string().min(1).default('.longpole/data').describe('Directory of the embedded store.'),
    url: httpUrl
      .nullable()
      .default(null)
      .describe('Address of a ClickHouse server (HTTP interface) to be used instead of the embedded store.'),
    database: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and underscores')
      .default('longpole')
      .describe('Database on that server; created if it may be.'),
    user: z.string().default('default').describe('User on that server.'),
    password: z.string().default('').describe('Password on that server.'),
    retentionDays: z.number().positive().default(7).describe('Everything older is deleted.'),
    retentionBytes: z
      .number()
      .int()
      .min(50_000_000)
      .default(20_000_000_000)
      .describe('Above this size on disk the oldest hours are deleted.'),
    memoryBytes: z
      .number()
      .int()
      .min(300_000_000)
      .default(2_000_000_000)
      .describe('Memory that the embedded store may use; a query that needs more is refused, the process stays.'),
    querySeconds: z.number().positive().default(30).describe('A query that takes longer is cancelled.'),
    fsync: z
      .boolean()
      .default(false)
      .describe(
        'Write through to the disk before an insert counts as stored: safe against power cuts too, at the price of slower inserts.',
      ),
  })
  .describe('Where spans and records are kept.')

const tenants = z
  .strictObject({
    key: z
      .string()
      .min(32, 'at least 32 characters')
      .nullable()
      .default(null)
      .describe('Secret of the keyed hash that tenants are kept as. Without it tenants are not kept at all.'),
    keyFile: z.string().nullable().default(null).describe('File that holds the secret, instead of `key`.'),
    classes: z
      .record(z.string().regex(/^[a-z0-9_-]{1,32}$/, 'a name of at most 32 lower-case letters, digits, - and _'), z.array(z.string()))
      .default({})
      .refine((value) => Object.keys(value).length <= MAX_TENANT_CLASSES, `at most ${MAX_TENANT_CLASSES} classes`)
      .describe('Class → tenants (as in the header). The class is a label of metrics, the tenant is not.'),
    defaultClass: z.string().default('default').describe('Class of all other tenants.'),
  })
  .describe('Tenants and their classes.')

const objective = z.strictObject({
  model: z.string().min(1).default('*').describe('Model as requested; `*` for every model without an objective of its own.'),
  slo: z.enum(SLO_NAMES).describe('What is promised: ttft, tpot, stall (longest gap), e2e, goodput (all others together) or availability.'),
  objective: share.default(0.99).describe('Share of good requests promised.'),
  thresholdSeconds: thresholds
    .optional()
    .describe('Limit in seconds, one number or one per input-length class (1k, 8k, 32k, inf). Not for goodput and availability.'),
  tenantClass: z.string().optional().describe('Only for tenants of this class.'),
})

const slo = z
  .strictObject({
    presets: z
      .array(
        z.strictObject({ model: z.string().min(1).describe('Model, or `*`.'), preset: z.enum(PRESET_NAMES).describe('Name of the set.') }),
      )
      .default([{ model: '*', preset: 'default' }])
      .describe('Published sets of objectives, by model.'),
    objectives: z
      .array(objective)
      .default([])
      .describe('Objectives of your own; each replaces the one of the same model and name in a preset.'),
    windowDays: z.number().int().positive().default(30).describe('Period of the error budget.'),
  })
  .describe('Service level objectives: what "slow" means. A request counts as bad when its deadline passes, not when it ends.')

const exporters = z
  .strictObject({
    otlp: z
      .strictObject({
        endpoint: httpUrl
          .nullable()
          .default(null)
          .describe('Base address; settled requests go to `<endpoint>/v1/traces` with every phase as a child span.'),
        headers: z.record(z.string(), z.string()).default({}).describe('Headers to send along, for example an authorization.'),
        compression: z.enum(['gzip', 'none']).default('gzip').describe('Compression of bodies.'),
        timeoutSeconds: seconds.default(10).describe('A try that takes longer is given up and made again.'),
        delaySeconds: seconds
          .default(10)
          .describe('A settled request waits so long for spans that come late: a trace cannot be changed once it is sent.'),
        queueSpans: z
          .number()
          .int()
          .positive()
          .default(50_000)
          .describe('Spans that may wait to be sent; beyond it the oldest are dropped and counted.'),
      })
      .prefault({})
      .describe('Any OTLP endpoint: Tempo, Jaeger, an OpenTelemetry Collector.'),
  })
  .describe('Where settled requests are sent on to.')

const tracing = z
  .strictObject({
    endpoint: httpUrl
      .nullable()
      .default(null)
      .describe('Base address of an OTLP/HTTP receiver for the spans of the hub itself: API, store, localizer. Off where not set.'),
    sampleRatio: z.number().min(0).max(1).default(0.1).describe('Share of its own work that the hub traces.'),
  })
  .describe("The hub's own tracing; not the requests of your users.")

const alerts = z
  .strictObject({
    grafanaBaseUrl: z.string().default('http://localhost:3000').describe('Grafana, for links in pages.'),
    consoleBaseUrl: z.string().default('http://localhost:7171').describe('This hub as a person reaches it, for links in pages.'),
    runbookBaseUrl: z
      .string()
      .default('https://github.com/longpole/longpole/blob/main/alerts')
      .describe('Where the runbooks are; a mirror of your own, for example.'),
    alertmanagerBaseUrl: z
      .string()
      .default('http://localhost:9093')
      .describe('Alertmanager, for silence links and `longpole doctor --alerts`.'),
  })
  .describe('Addresses that pages link to.')

const prices = z
  .strictObject({
    replicaHour: z
      .record(z.string(), z.number().nonnegative())
      .default({})
      .describe('Price of one replica for an hour in US dollars, by model.'),
  })
  .describe('Prices for the cost board.')

const limits = z
  .strictObject({
    bodyBytes: z.number().int().positive().default(8_388_608).describe('Largest OTLP body, after decompression.'),
    inFlightBytes: z
      .number()
      .int()
      .positive()
      .default(33_554_432)
      .describe('OTLP bodies in work at once; beyond it senders are told to come again.'),
    openRequests: z.number().int().positive().default(100_000).describe('Requests in flight that are followed.'),
    unsettledRequests: z.number().int().positive().default(200_000).describe('Records that may wait to settle.'),
    dimensions: z.number().int().min(0).max(64).default(16).describe("The user's own dimensions on one request."),
    labelValues: z.number().int().positive().default(2_000).describe('Values of a label that has no cap of its own.'),
  })
  .describe('Limits. What is refused because of one is counted.')

const settle = z
  .strictObject({
    afterSeconds: seconds.default(5).describe('A record closes so long after its outermost span ended.'),
    withoutClientSeconds: seconds.default(30).describe('The same where no client span came.'),
    amendSeconds: seconds.default(900).describe('Late spans amend a closed record for so long.'),
  })
  .describe('When a request record closes.')

export const configSchema = z
  .strictObject({
    role: z
      .enum(['all', 'ingest', 'localize'])
      .default('all')
      .describe(
        '`ingest`: no continuous localizer. `localize`: no OTLP receivers, findings from a shared store. In a fleet many ingest and one localizes.',
      ),
    cluster: z.string().default('').describe('Name of the cluster, for spans that do not carry one.'),
    listen: listen.prefault({}),
    auth: auth.prefault({}),
    store: store.prefault({}),
    tenants: tenants.prefault({}),
    dimensions: z
      .array(z.string().regex(/^[a-z][a-z0-9_.]{0,62}$/, 'lower-case letters, digits, _ and .'))
      .default([])
      .describe('Attributes of spans that are kept as dimensions of requests, beside `longpole.dimension.*`.'),
    slo: slo.prefault({}),
    settle: settle.prefault({}),
    exporters: exporters.prefault({}),
    tracing: tracing.prefault({}),
    alerts: alerts.prefault({}),
    prices: prices.prefault({}),
    limits: limits.prefault({}),
    logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least severity that is logged.'),
  })
  .describe('Configuration of the hub.')

export type Config = z.output<typeof configSchema>
export type ConfigInput = z.input<typeof configSchema>
