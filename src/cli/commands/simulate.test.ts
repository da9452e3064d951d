import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { RECORD_COLUMNS } from '../../simulator/output/record-columns.ts'
import { createCommand } from './simulate.ts'

function directory(): string {
  return mkdtempSync(join(tmpdir(), 'longpole-simulate-test-'))
}

function simulate(...args: string[]): Promise<unknown> {
  return createCommand().exitOverride().parseAsync(args, { from: 'user' })
}

describe('longpole simulate', () => {
  test('writes records, samples, events and a truth with its effect; the same again gives the same bytes', async () => {
    const [first, second] = [directory(), directory()]
    for (const out of [first, second])
      await simulate('--out', out, '--minutes', '1.5', '--rate', '12', '--seed', '3', '--fault', 'F14:high@0.5')
    const truth = JSON.parse(readFileSync(join(first, 'truth.json'), 'utf8'))
    expect(truth).toMatchObject({ format: 'longpole-simulation', version: 1, seed: 3 })
    expect(truth.injections[0]).toMatchObject({ id: 'F14', mechanism: 'tokenizer_cpu', verdict: 'localized' })
    const tokenize = truth.injections[0].effect.slice.phases.find(({ phase }: { phase: string }) => phase === 'engine.tokenize')
    expect(tokenize.with).toBeGreaterThan(tokenize.without * 3)
    for (const file of ['records.ndjson', 'samples.ndjson', 'events.ndjson', 'truth.json']) {
      expect(readFileSync(join(first, file)).equals(readFileSync(join(second, file))), file).toBe(true)
    }
    const rows = readFileSync(join(first, 'records.ndjson'), 'utf8').trim().split('\n')
    for (const row of [rows[0], rows.at(-1)]) expect(Object.keys(JSON.parse(row as string))).toEqual(RECORD_COLUMNS.map(({ name }) => name))
  })

  test('Arrow holds the same rows as NDJSON', async () => {
    const [text, arrow] = [directory(), directory()]
    const options = ['--minutes', '1', '--rate', '10', '--seed', '4', '--no-counterfactual']
    await simulate('--out', text, ...options)
    await simulate('--out', arrow, ...options, '--format', 'arrow')
    const rows = readFileSync(join(text, 'records.ndjson'), 'utf8').trim().split('\n')
    const table = tableFromIPC(readFileSync(join(arrow, 'records.arrow')))
    expect(table.numRows).toBe(rows.length)
    rows.forEach((line, index) => {
      const row = JSON.parse(line)
      const other = table.get(index)!.toJSON()
      expect(other.trace_id).toBe(row.trace_id)
      expect(String(other.start_unix_ns)).toBe(row.start_unix_ns)
      expect(other.replica).toBe(row.replica)
      if (row.e2e === null) expect(other.e2e).toBeNull()
      else expect(other.e2e).toBeCloseTo(row.e2e, 8)
    })
  })

  test.each([
    [['--out', '/tmp/x', '--fault', 'F99'], /--fault F99: expected one of F1/],
    [['--out', '/tmp/x', '--minutes', 'long'], /--minutes: expected a number above 0, got long/],
    [['--out', '/tmp/x', '--shape', 'round'], /--shape: expected step, ramp/],
    [['--out', '/tmp/x', '--start', 'noon'], /--start: expected an RFC 3339 instant, got noon/],
    [['--out', '/tmp/x', '--lost', '2'], /--lost: expected a share from 0 to 1, got 2/],
    [['--minutes', '1'], /--out: expected a directory, got nothing/],
    [['--out', '/etc/hostname/below'], /--out: \/etc\/hostname\/below cannot be made/],
  ])('%j is refused with what was expected and what came', async (args, message) => {
    await expect(simulate(...args)).rejects.toThrow(message)
  })

  test('a trace with a broken line is refused with file, line and key', async () => {
    const file = join(directory(), 'trace.csv')
    writeFileSync(file, 'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,1,oops\n')
    await expect(simulate('--out', directory(), '--trace', file)).rejects.toThrow(
      /trace.csv:2: GeneratedTokens: expected a number from 0, got "oops"/,
    )
  })
})

describe('a folder of traces', () => {
  const AZURE = 'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:47.9951690,396,109\n'
  const MOONCAKE = '{"timestamp": 500, "input_length": 1200, "output_length": 5, "hash_ids": [0, 7, 9]}\n'

  function folder(files: Record<string, string>): string {
    const path = directory()
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
    return path
  }

  test('is laid over each other; files of other kinds are left alone', async () => {
    const out = directory()
    const traces = folder({ 'a.csv': AZURE, 'b.jsonl': MOONCAKE, 'lengths.csv': 'a,b\n1,2\n', 'notes.md': 'x' })
    await simulate('--out', out, '--minutes', '0.5', '--rate', '3', '--agents', '0', '--trace', traces)
    const rows = readFileSync(join(out, 'records.ndjson'), 'utf8').trim().split('\n')
    expect(new Set(rows.map((line) => JSON.parse(line).prompt_tokens))).toEqual(new Set([374, 396, 1200]))
  })

  test.each([
    [
      { 'a.csv': AZURE, 'b.jsonl': `${MOONCAKE}{"timestamp": 1, "input_length": "long"}\n` },
      /b\.jsonl:2: hash_ids: expected a list of numbers/,
    ],
    [{ 'a.csv': `${AZURE}noon,1,2\n` }, /a\.csv:4: TIMESTAMP: expected a time/],
    [{ 'notes.md': 'x' }, /expected at least one of Azure's CSV or Mooncake's JSONL traces, got none/],
  ])('with something broken is refused with file, line and key', async (files, sentence) => {
    await expect(simulate('--out', directory(), '--trace', folder(files as Record<string, string>))).rejects.toThrow(sentence)
  })
})

describe('a fleet file', () => {
  const PART = 'decode: qwen3-8b-decode, prefill: qwen3-8b-prefill, kvTokens: 90000'
  const GOOD = `regions: [us-east, eu-central]
models:
  - model: chat
    engine: vllm
    trafficShare: 0.6
    replicas:
      - { role: both, count: 3, ${PART} }
  - model: split
    engine: sglang
    trafficShare: 0.4
    replicas:
      - { role: prefill, count: 1, ${PART} }
      - { role: decode, count: 1, ranks: 2, ${PART} }
`
  function fleetFile(text: string): string {
    const file = join(directory(), 'fleet.yaml')
    writeFileSync(file, text)
    return file
  }

  test('is the fleet that serves: its regions, models and replicas, and nothing else', async () => {
    const out = directory()
    const fleet = fleetFile(GOOD)
    await simulate('--out', out, '--minutes', '1', '--rate', '6', '--fleet', fleet, '--fault', 'F17@0.5', '--no-counterfactual')
    const samples = readFileSync(join(out, 'samples.ndjson'), 'utf8').trim().split('\n')
    const seen = new Map(
      samples.map((line) => JSON.parse(line)).map((sample) => [sample.replica, `${sample.model} ${sample.region} ${sample.pool}`]),
    )
    expect([...seen.values()].sort()).toEqual([
      ...Array(3).fill('chat eu-central both'),
      ...Array(3).fill('chat us-east both'),
      'split eu-central decode',
      'split eu-central prefill',
      'split us-east decode',
      'split us-east prefill',
    ])
    const rows = readFileSync(join(out, 'records.ndjson'), 'utf8').trim().split('\n')
    const models = rows.map((line) => JSON.parse(line).model)
    expect(new Set(models)).toEqual(new Set(['chat', 'split']))
  })

  test.each([
    ['regions: [us-east, mars]', 'regions: [us-east, eu-central]', /fleet\.yaml:1: regions\.1: expected one of us-east, .*got "mars"/],
    ['count: many', 'count: 3', /fleet\.yaml:7: models\.0\.replicas\.0\.count: expected number, got "many"/],
    ['colour: 0.6', 'trafficShare: 0.6', /fleet\.yaml:5: models\.0\.colour: unknown key/],
    ['model: chat', 'model: split', /fleet\.yaml:8: models\.1\.model: expected a name of its own, got chat again/],
    ['role: both, count: 1', 'role: prefill, count: 1', /fleet\.yaml:12: models\.1\.replicas: prefill and decode replicas need each other/],
    ['kvTokens: 0', 'kvTokens: 90000', /kvTokens: expected more than 0, got 0/],
    ['models: [', 'models:', /fleet\.yaml:\d+: not valid YAML/],
  ])('with %j is refused with file, line and key', async (wrong, right, sentence) => {
    const file = fleetFile(GOOD.replace(right, wrong))
    await expect(simulate('--out', directory(), '--fleet', file)).rejects.toThrow(sentence)
  })

  test('without a place for the fault is refused', async () => {
    const file = fleetFile(GOOD.slice(0, GOOD.indexOf('  - model: split')))
    await expect(simulate('--out', directory(), '--minutes', '1', '--fleet', file, '--fault', 'F17')).rejects.toThrow(
      'F17: this fleet has nothing that "KV transfer degraded" could strike',
    )
  })
})
