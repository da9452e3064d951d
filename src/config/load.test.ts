import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeConfig, environmentVariables, loadConfig } from './load.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-config-'))
let files = 0

function write(text: string): string {
  const file = join(directory, `longpole-${files++}.yaml`)
  writeFileSync(file, text)
  return file
}

function errorOf(text: string, environment: Record<string, string> = {}): string {
  try {
    loadConfig({ file: write(text), environment })
  } catch (error) {
    return (error as Error).message.replaceAll(directory, '')
  }
  throw new Error('no error')
}

test('an empty file and no file give the defaults: loopback listeners, no tokens', () => {
  const config = loadConfig({ file: write(''), environment: {} })
  expect(config).toEqual(loadConfig({ environment: {} }))
  expect(config.listen).toEqual({ api: '127.0.0.1:7171', otlpHttp: '127.0.0.1:4318', otlpGrpc: '127.0.0.1:4317' })
  expect(config.auth.tokens).toEqual([])
})

test('the environment is over the file, the command line over both', () => {
  const file = write('store:\n  retentionDays: 3\n  querySeconds: 5\nlogLevel: warn\n')
  const config = loadConfig({
    file,
    environment: {
      LONGPOLE_STORE_RETENTION_DAYS: '4',
      LONGPOLE_LOG_LEVEL: 'debug',
      LONGPOLE_AUTH_TOKENS: '[aaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbb]',
    },
    overrides: { logLevel: 'error', store: { data: '/data' } },
  })
  expect(config.store).toMatchObject({ retentionDays: 4, querySeconds: 5, data: '/data' })
  expect(config.logLevel).toBe('error')
  expect(config.auth.tokens).toHaveLength(2)
})

test('a text that looks like a number stays text where text is wanted', () => {
  expect(loadConfig({ environment: { LONGPOLE_STORE_PASSWORD: '0123', LONGPOLE_CLUSTER: 'true' } })).toMatchObject({
    store: { password: '0123' },
    cluster: 'true',
  })
})

test.each([
  ['listen:\n  api: nowhere\n', /:2: listen\.api: expected HOST:PORT.*, got "nowhere"/],
  ['listen:\n  api: 127.0.0.1:70000\n', /:2: listen\.api: expected HOST:PORT/],
  ['role: all\nstore:\n\n  retention_days: 3\n', /:4: store\.retention_days: unknown key, did you mean retentionDays\?/],
  ['strore: {}\n', /:1: strore: unknown key; known here: role, /],
  ['store:\n  retentionDays: soon\n', /:2: store\.retentionDays: expected number, got "soon"/],
  [
    'slo:\n  objectives:\n    - slo: ttft\n    - slo: latency\n',
    /:4: slo\.objectives\.1\.slo: expected one of ttft, tpot, .*, got "latency"/,
  ],
  ['slo:\n  objectives:\n    - slo: ttft\n      objective: 99\n', /:4: slo\.objectives\.0\.objective: expected less than 1, got 99/],
  ['slo:\n  presets:\n    - {model: m, preset: fast}\n', /:3: slo\.presets\.0\.preset: expected one of default, .*, got "fast"/],
  ['store: [1]\n', /:1: store: expected object, got \[1\]/],
  ['- 1\n', /:1: expected a map of keys, got \[1\]/],
  ['a: [\n', /:\d: not valid YAML/],
  [
    'tenants:\n  classes: {a: [], b: [], c: [], d: [], e: [], f: [], g: [], h: [], i: []}\n',
    /:2: tenants\.classes: expected at most 8 classes/,
  ],
])('a mistake is named with file, line, key, expectation and value: %j', (text, message) => {
  expect(errorOf(text)).toMatch(message)
})

test('all mistakes are told at once, and one of the environment by its variable', () => {
  const message = errorOf('role: some\nlogLevel: loud\n', { LONGPOLE_STORE_RETENTION_DAYS: '-1' })
  expect(message.split('\n')).toHaveLength(3)
  expect(message).toContain('LONGPOLE_STORE_RETENTION_DAYS (store.retentionDays): expected more than 0, got -1')
})

test('a file that cannot be read is named', () => {
  expect(() => loadConfig({ file: '/nowhere/longpole.yaml', environment: {} })).toThrow('/nowhere/longpole.yaml: cannot be read (ENOENT)')
})

test('secrets are masked wherever they stand, in errors too', () => {
  const secret = 'planted-secret-planted-secret-1234'
  const config = loadConfig({
    environment: {},
    overrides: {
      auth: { tokens: [secret] },
      store: { password: secret, url: `http://me:${secret}@db:8123/` },
      tenants: { key: secret },
      exporters: { otlp: { headers: { authorization: secret } } },
    },
  })
  const shown = JSON.stringify(describeConfig(config))
  expect(shown).not.toContain(secret)
  expect(shown).toContain('authorization')
  expect(errorOf('auth:\n  tokens: planted-secret\n')).not.toContain('planted-secret')
})

test('every key has a description and a variable of its own', () => {
  const keys = environmentVariables()
  expect(keys.filter((entry) => entry.description === '')).toEqual([])
  expect(new Set(keys.map((entry) => entry.variable)).size).toBe(keys.length)
})

test("OpenTelemetry's endpoint is taken unless it is this hub itself", () => {
  const endpoint = (value: string) => loadConfig({ environment: { OTEL_EXPORTER_OTLP_ENDPOINT: value } }).exporters.otlp.endpoint
  expect(endpoint('http://tempo:4318')).toBe('http://tempo:4318')
  expect(endpoint('http://localhost:4318')).toBeNull()
  expect(endpoint('http://localhost:4320')).toBe('http://localhost:4320')
  expect(endpoint('not an address')).toBeNull()
})
