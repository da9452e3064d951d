// Two real vLLM replicas behind real sidecars, recorded while something was done to them by hand (test/e2e/faults says what, and
// `npm run record:faults` makes such recordings anew). Some were made on a machine that was busy with other things (medians of half a
// second), slower-replica, replica-network and slow-consumer on a calm one (about 50 ms). What is asked is what a person would ask: no tuning of windows, dimensions or thresholds.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from '@longpole/model/finding'
import { REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS } from '@longpole/model/request-record'
import { describe, expect, test } from 'vitest'
import { readTable } from '../../src/cli/tables/read-table.ts'
import { readSamples } from '../../src/cli/tables/side-files.ts'
import { localize } from '../../src/localizer/localize.ts'

const DIRECTORY = new URL('recordings/', import.meta.url).pathname
const CONSEQUENCES: ReadonlySet<string> = new Set(['outcome', 'error_class', 'finish_reason', 'vantage'])
const DIMENSIONS = REQUEST_COLUMNS.filter(({ kind, name }) => kind === 'dictionary' && !CONSEQUENCES.has(name)).map(({ name }) => name)

async function why(id: string, target: string): Promise<Finding> {
  const path = (suffix: string) => join(DIRECTORY, `${id}${suffix}`)
  const { incident, baseline } = JSON.parse(readFileSync(path('.json'), 'utf8'))
  const wanted = { time: 'start_unix_ns', target, dimensions: null, phases: null, covariates: null, weight: null }
  const { table } = await readTable(path('.ndjson.gz'), wanted, () => {})
  const { findings } = localize(table, {
    target,
    measure: { kind: 'quantile', quantile: 0.95 },
    incident,
    baseline: [baseline],
    dimensions: DIMENSIONS.filter((name) => (table.dimensions.get(name)?.values.length ?? 0) >= 2),
    phases: PHASE_COLUMNS.map(({ seconds }) => seconds).filter((name) => table.numbers.has(name)),
    covariates: null,
    slo: null,
    model: null,
    samples: await readSamples(path('.samples.ndjson.gz')),
    events: [],
    seed: 1,
  })
  return findings[0] as Finding
}

describe('faults made by hand', () => {
  test.each([
    ['hang', 'ttft', { replica: ['vllm-1'] }, ['hang']],
    ['hang', 'e2e', { replica: ['vllm-1'] }, ['hang']],
    ['host-stall', 'ttft', { replica: ['vllm-1'] }, ['host_stall']],
    ['host-stall', 'e2e', { replica: ['vllm-1'] }, ['host_stall']],
    ['crowded-replica', 'ttft', { replica: ['vllm-0'] }, ['demand_saturation', 'load_imbalance', 'noisy_neighbour', 'capacity_loss']],
    ['cache-lost', 'ttft', { tenant: ['fern'] }, ['cache_hit_drop']],
    ['region-network', 'ttft', { client_region: ['ap-south'] }, ['client_network']],
    ['replica-network', 'ttft', { replica: ['vllm-1'] }, ['client_network']],
    ['replica-network', 'e2e', { replica: ['vllm-1'] }, ['client_network']],
    ['slower-replica', 'e2e', { replica: ['vllm-1'] }, ['slower_compute', 'host_stall']],
    ['slow-consumer', 'e2e', { client_region: ['us-east'] }, ['slow_consumer']],
  ])('%s, seen in %s: the slice and the mechanism', async (id, target, slice, mechanisms) => {
    const finding = await why(id, target)
    expect({ verdict: finding.verdict, slice: finding.slice }).toEqual({ verdict: 'localized', slice })
    expect(mechanisms).toContain(finding.mechanism?.name)
    for (const { share, low, high } of finding.phases) expect(Math.max(share, low, high)).toBeLessThanOrEqual(1)
  })
})

describe('a body that moved under a tail that stays', () => {
  test('a replica whose median nearly triples is named, although its 95th percentile is what it was', async () => {
    const finding = await why('slower-replica', 'ttft')
    expect({ verdict: finding.verdict, slice: finding.slice }).toEqual({ verdict: 'localized', slice: { replica: ['vllm-1'] } })
    expect(['slower_compute', 'host_stall']).toContain(finding.mechanism?.name)
  })
})

describe('nothing is broken', () => {
  test('who reads slowly does not get its first token later', async () => {
    expect((await why('slow-consumer', 'ttft')).verdict).toBe('no_regression')
  })

  test.each(['ttft', 'e2e'])('a tenant whose prompts grow is a shift that names it, seen in %s', async (target) => {
    const finding = await why('tenant-grows', target)
    expect(finding.verdict).toBe('workload_shift')
    expect(finding.slice).toEqual({ tenant: ['cedar'] })
  })

  test.each(['ttft', 'e2e'])('a quiet minute is no alarm, seen in %s', async (target) => {
    expect((await why('quiet', target)).verdict).toBe('no_regression')
  })

  test('what everybody waits for more is a shift and no fault of everybody', async () => {
    expect((await why('tenant-grows', 'ttft')).workload[0]?.description).toContain('tenant=cedar')
  })
})
