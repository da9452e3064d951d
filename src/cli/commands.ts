// The commands there are. Adding one is a file in commands/ and a line here.
import type { Command } from 'commander'

export interface CommandEntry {
  name: string
  summary: string
  load: () => Promise<{ createCommand(): Command }>
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'demo',
    summary: 'a simulated fleet before a real hub: look, break it, see what Longpole says',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'alerts',
    summary: 'rules for Prometheus and Alertmanager from your objectives',
    load: () => import('./commands/alerts.ts'),
  },
  {
    name: 'hub',
    summary: 'receive spans, join them into request records, store and serve them',
    load: () => import('./commands/hub.ts'),
  },
  {
    name: 'replay',
    summary: 'send recorded telemetry to a hub and play recorded exchanges on real sockets',
    load: () => import('./commands/replay.ts'),
  },
  {
    name: 'sidecar',
    summary: 'proxy one inference server and time every request through it',
    load: () => import('./commands/sidecar.ts'),
  },
  {
    name: 'simulate',
    summary: 'write a labelled data set of a simulated fleet',
    load: () => import('./commands/simulate.ts'),
  },
  {
    name: 'why',
    summary: 'which phase, which slice, since when, how much and why; or that nothing is wrong',
    load: () => import('./commands/why.ts'),
  },
  {
    name: 'top',
    summary: 'the first page in a terminal: is the fleet fine, what is wrong, which requests wait',
    load: () => import('./commands/top.ts'),
  },
  {
    name: 'doctor',
    summary: 'check every hop from the client to the store',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'event',
    summary: 'tell the hub about a change in the fleet',
    load: () => import('./commands/event.ts'),
  },
  {
    name: 'export',
    summary: 'write requests as a table: NDJSON, Arrow, Parquet or CSV',
    load: () => import('./commands/export.ts'),
  },
  {
    name: 'probe',
    summary: 'synthetic requests per model, for models with little traffic',
    load: () => import('./commands/probe.ts'),
  },
]
