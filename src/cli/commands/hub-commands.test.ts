// `longpole export`, `event`, `why` and `doctor` as a person runs them: processes of their own against a real hub's API.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestHub, type TestHub } from '../../../collector/hub/api/test-hub.ts'
import { makeRecords, makeSample, START } from '../../../collector/store/conformance-data.ts'
import { runChecks } from '../doctor/checks.ts'
import { collectFacts } from '../doctor/facts.ts'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))
const TOKEN = 'a-token-of-enough-letters'
const directory = mkdtempSync(join(tmpdir(), 'longpole-cli-'))
const now = Number(START / 1_000_000_000n) + 10
let hub: TestHub

beforeAll(async () => {
  hub = await startTestHub({ auth: { tokens: [TOKEN] } })
  await hub.store.insertRecords(makeRecords(120))
})
afterAll(async () => hub?.close())

interface Run {
  status: number
  stdout: string
  stderr: string
}

function longpole(...words: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const environment = { ...process.env, LONGPOLE_HUB_API: hub.address, LONGPOLE_HUB_TOKEN: TOKEN, NO_COLOR: '1' }
    execFile(process.execPath, [MAIN, ...words], { env: environment }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

describe('why', () => {
  test('gets past a hub that wants a token, and says so where the token is wrong', async () => {
    const incident = ['--incident', `${now + 86_400}..${now + 86_500}`]
    expect(await longpole('why', ...incident)).toMatchObject({ status: 1, stderr: expect.stringContaining('no localizer runs') })
    const refused = await longpole('why', ...incident, '--token', 'wrong')
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('LONGPOLE_HUB_TOKEN') })
  })
})

describe('export', () => {
  test('writes a whole file and says how large it is', async () => {
    const file = join(directory, 'r.arrow')
    const { status, stdout } = await longpole(
      'export',
      '--format',
      'arrow',
      '--out',
      file,
      '--where',
      'model=model-0',
      '--where',
      'model=model-1',
      '--json',
    )
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ file, format: 'arrow', bytes: readFileSync(file).length })
    expect(tableFromIPC(readFileSync(file)).numRows).toBe(80)
  })

  test('writes to standard output, chosen columns only', async () => {
    const { status, stdout } = await longpole('export', '--columns', 'record_id,outcome', '--limit', '3')
    expect(status).toBe(0)
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows).toHaveLength(3)
    expect(Object.keys(rows[0])).toEqual(['record_id', 'outcome'])
  })

  test('bad input ends with status 2 and names the key; a hub that is away with 1 and what to do', async () => {
    expect(await longpole('export', '--from', 'yesterday')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('from: expected Unix seconds'),
    })
    expect(await longpole('export', '--where', 'model')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--where: expected column=value'),
    })
    expect(await longpole('export', '--hub', 'http://127.0.0.1:9')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('longpole hub'),
    })
    expect(await longpole('export', '--token', 'wrong')).toMatchObject({ status: 2, stderr: expect.stringContaining('LONGPOLE_HUB_TOKEN') })
  })

  test('a transfer that breaks off leaves no file behind', async () => {
    const half = createServer((_request, response) => {
      response.write('{"a":1}\n')
      setImmediate(() => response.destroy())
    })
    await new Promise<void>((resolve) => half.listen(0, '127.0.0.1', resolve))
    const file = join(directory, 'half.ndjson')
    const run = await longpole('export', '--out', file, '--hub', `http://127.0.0.1:${(half.address() as AddressInfo).port}`)
    half.close()
    expect(run).toMatchObject({ status: 1, stderr: expect.stringContaining('broke off') })
    expect(existsSync(file) || existsSync(`${file}.part`)).toBe(false)
  })
})

test('event posts a change with its scope; an unknown kind is refused', async () => {
  const { status, stdout } = await longpole(
    'event',
    'router 4812',
    '--scope',
    'cluster=eu-1',
    '--scope',
    'pool=prefill,decode',
    '--to-value',
    '4812',
    '--json',
  )
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    kind: 'deploy',
    title: 'router 4812',
    scope: { cluster: ['eu-1'], pool: ['prefill', 'decode'] },
    to_value: '4812',
  })
  expect(await longpole('event', 'x', '--kind', 'party')).toMatchObject({ status: 2 })
  expect(await longpole('event', 'x', '--scope', 'cluster')).toMatchObject({ status: 2 })
})

describe('doctor', () => {
  test('says what is missing and how to fix it, within its time', async () => {
    const { status, stdout } = await longpole('doctor', '--json')
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { check: string; status: string; message: string; fix: string }[] }
    expect({ status, ok }).toEqual({ status: 1, ok: false })
    const of = (name: string) => checks.find((check) => check.check === name)
    expect(of('hub')).toMatchObject({ status: 'ok' })
    expect(of('spans')).toMatchObject({ status: 'fail', message: expect.stringContaining('no span has arrived') })
    expect(checks.every((check) => check.status === 'ok' || check.fix !== '')).toBe(true)
  })

  test('a hub that is away is one sentence and status 1', async () => {
    const { status, stdout } = await longpole('doctor', '--hub', 'http://127.0.0.1:9')
    expect(status).toBe(1)
    expect(stdout.trim().split('\n')).toHaveLength(2)
  })

  test('a healthy installation has nothing to fix', async () => {
    const healthy = await startTestHub()
    try {
      const records = makeRecords(100).map((record) => ({
        ...record,
        joined: ['client', 'sidecar', 'engine'],
        phases: record.phases.map((phase) => (phase.phase === 'unattributed' ? { ...phase, seconds: 0.001 } : phase)),
      }))
      await healthy.store.insertRecords(records)
      const full = { prompt_tokens_per_second: 1, output_tokens_per_second: 1, waiting: 0, running: 0 }
      await healthy.store.insertSamples(
        Array.from({ length: 14 }, (_, index) => ({ ...makeSample(index), ...full, replica: `replica-${index % 7}` })),
      )
      healthy.registry.increment('spansReceivedTotal', {}, 300)
      const checks = runChecks(await collectFacts({ hub: healthy.address }, now))
      expect(checks.filter((check) => check.status !== 'ok')).toEqual([])
      expect(checks.map((check) => check.check)).toEqual(
        expect.arrayContaining([
          'hub',
          'store',
          'spans',
          'requests',
          'client',
          'sidecar',
          'engine',
          'joined',
          'unattributed',
          'samples',
          'engine metrics',
        ]),
      )
    } finally {
      await healthy.close()
    }
  })

  test('a missing vantage, a broken join and a missing metric are each named', async () => {
    const sick = await startTestHub()
    try {
      await sick.store.insertRecords(
        makeRecords(100).map((record, index) => ({ ...record, joined: index % 2 === 0 ? ['sidecar', 'engine'] : ['sidecar'] })),
      )
      await sick.store.insertSamples([makeSample(0), makeSample(2)])
      sick.registry.increment('spansReceivedTotal', {}, 100)
      sick.registry.increment('spansDroppedTotal', { reason: 'malformed' }, 10)
      sick.registry.set('clockOffsetSeconds', { replica: 'replica-3' }, -37)
      const checks = new Map(runChecks(await collectFacts({ hub: sick.address }, now)).map((check) => [check.check, check]))
      expect(checks.get('client')).toMatchObject({ status: 'warn', message: expect.stringContaining('no client span') })
      expect(checks.get('joined')).toMatchObject({ status: 'warn', message: expect.stringContaining('only 50 %') })
      expect(checks.get('spans')).toMatchObject({ status: 'warn', message: expect.stringContaining('10 %') })
      expect(checks.get('clocks')).toMatchObject({ status: 'warn', message: expect.stringContaining('replica-3 is off by -37.000 s') })
      expect(checks.get('engine metrics')).toMatchObject({ status: 'warn', message: expect.stringContaining('replica-0 lacks waiting') })
    } finally {
      await sick.close()
    }
  })
})
