// Adapter thrash
import type { FaultDefinition } from '../fault.ts'
import { between } from '../targets.ts'

export const adapterThrash: FaultDefinition = {
  id: 'F26',
  name: 'adapter-thrash',
  title: 'Adapter thrash',
  description:
    'One LoRA adapter no longer stays resident: each of its requests waits for weights, 1 + 2·severity times as long as a usual load.',
  confusers: ['F14', 'F8'],
  inject(world, random, severity, source) {
    const used = world.tenants.filter((tenant) => tenant.adapters.length > 0 && tenant.share > 0.02)
    const fallback = world.tenants.filter((tenant) => tenant.adapters.length > 0)
    const adapter = random.pick(used.length > 0 ? used : fallback).adapters[0] as string
    return {
      truth: {
        slice: { adapter: [adapter] },
        cause: { adapter: [adapter] },
        phases: ['engine.queue'],
        mechanism: 'adapter_load',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.decode', 'engine.prefill'],
        columns: ['adapter_loaded', 'ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const engine of world.fleet.engines) {
          if (intensity > 0) engine.brokenAdapters.add(adapter)
          else engine.brokenAdapters.delete(adapter)
          engine.adapterScale.set(source, between(1, 1 + 2 * severity, intensity))
        }
      },
    }
  },
}
