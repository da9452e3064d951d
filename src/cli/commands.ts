// The commands there are. Adding one is a file in commands/ and a line here.
import type { Command } from 'commander'

export interface CommandEntry {
  name: string
  summary: string
  load: () => Promise<{ createCommand(): Command }>
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'hub',
    summary: 'receive spans, join them into request records, store and serve them',
    load: () => import('./commands/hub.ts'),
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
]
