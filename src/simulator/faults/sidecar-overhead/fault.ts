// Sidecar overhead
import type { FaultDefinition } from '../fault.ts'

export const sidecarOverhead: FaultDefinition = {
  id: 'F29',
  name: 'sidecar-overhead',
  title: 'Sidecar overhead',
  description: 'Our own sidecar holds every request of one zone for 0.04·severity seconds.',
  confusers: ['F14', 'F16'],
  inject(world, random, severity, source) {
    const zones = [
      ...new Set(world.fleet.engines.filter((engine) => engine.spec.role === 'both').map((engine) => engine.spec.placement.zone)),
    ].sort()
    const zone = random.pick(zones)
    const engines = world.fleet.engines.filter((engine) => engine.spec.placement.zone === zone && engine.spec.role === 'both')
    return {
      truth: {
        slice: { replica: engines.map((engine) => engine.spec.name) },
        cause: { zone: [zone] },
        phases: ['sidecar'],
        mechanism: 'gateway_overhead',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.prefill', 'engine.decode'],
        columns: ['ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const engine of engines) engine.sidecarDelay.set(source, 0.04 * severity * intensity)
      },
      change: { kind: 'deploy', title: `sidecar updated in ${zone}`, scope: { zone: [zone] } },
    }
  },
}
