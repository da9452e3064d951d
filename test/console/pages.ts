// A real hub on chDB with simulated requests, and Debian's Chromium to look at its pages.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Finding } from '@longpole/model/finding'
import { type Browser, chromium } from 'playwright-core'
import { type Hub, startHub } from '../../collector/hub/main.ts'
import { loadConfig } from '../../src/config/load.ts'
import { findTool } from '../tools.ts'

const ROOT = new URL('../../', import.meta.url).pathname

export interface Stage {
  url: string
  hub: Hub
  /** Where `longpole simulate` wrote its files. */
  set: string
  data: string
  close(): Promise<void>
}

export interface StageSettings {
  seed: number
  minutes: number
  rate: number
  /** Options of `longpole simulate`, for example `['--fault', 'F17:high@10']`. */
  options?: readonly string[]
}

/** A hub on free ports whose store holds some minutes of a simulated fleet that end now, and the directory of the data set. */
export async function startStage({ seed, minutes, rate, options = [] }: StageSettings = { seed: 4, minutes: 4, rate: 6 }): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'longpole-console-'))
  const set = join(directory, 'set')
  const start = new Date(Date.now() - minutes * 60_000).toISOString()
  const numbers = ['--seed', `${seed}`, '--minutes', `${minutes}`, '--rate', `${rate}`, '--agents', '2', '--start', start]
  const words = ['bin/longpole.mjs', 'simulate', '--out', set, ...numbers, '--format', 'arrow', '--no-counterfactual', ...options]
  execFileSync(process.execPath, words, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
  const data = join(directory, 'data')
  const hub = await startStageHub(data)
  await hub.store.insertRecordTable(readFileSync(join(set, 'records.arrow')))
  return {
    url: `http://127.0.0.1:${hub.ports.api}`,
    hub,
    set,
    data,
    close: async () => {
      await hub.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export function startStageHub(data: string, api = '127.0.0.1:0'): Promise<Hub> {
  const listen = { api, otlpHttp: '127.0.0.1:0', otlpGrpc: '127.0.0.1:0' }
  return startHub({ config: loadConfig({ environment: {}, overrides: { store: { data }, listen } }), version: 'test' })
}

export function startBrowser(): Promise<Browser> {
  const { path, missing } = findTool('chromium')
  if (path === null) throw new Error(missing)
  const quiet = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ]
  return chromium.launch({ executablePath: path, args: quiet })
}

/** A finding with every field filled, for pages that need one. */
export function exampleFinding(id: string, replica: string, model: string): Finding {
  const at = new Date(Date.now() - 90_000).toISOString()
  const shift = (seconds: number) => new Date(Date.parse(at) + seconds * 1e3).toISOString()
  return {
    id,
    opened: at,
    updated: shift(60),
    closed: null,
    model,
    verdict: 'localized',
    target: { column: 'ttft', slo_seconds: null, quantile: 0.99, slo: 'ttft' },
    slice: { replica: [replica] },
    aliases: [],
    siblings: [{ slice: { replica: ['another'] }, ratio: 1.02 }],
    phases: [
      { phase: 'engine.prefill', share: 0.83, low: 0.78, high: 0.88 },
      { phase: 'engine.queue', share: 0.12, low: 0.08, high: 0.16 },
    ],
    onset: { at, low: shift(-10), high: shift(10) },
    share_explained: { value: 0.9, low: 0.85, high: 0.95 },
    excess_seconds: 412,
    bad_requests: 57,
    workload: [],
    mechanism: { name: 'cache_hit_drop', evidence_for: ['hit ratio fell from 0.62 to 0.11'], evidence_against: [], needs: [] },
    changes: [],
    confidence: 'high',
    probability: 0.94,
    looked_at: ['replica', 'region', 'tenant'],
    not_seen: [],
    next_check: 'compare the router revision',
  }
}
