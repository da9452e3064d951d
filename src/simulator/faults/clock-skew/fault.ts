// Clock skew between hosts
import type { FaultDefinition } from '../fault.ts'

export const clockSkew: FaultDefinition = {
  id: 'F30',
  name: 'clock-skew',
  title: 'Clock skew between hosts',
  description:
    'The clocks of one cluster run ahead: upload and return path of its requests are measured wrong by up to 0.05·severity seconds, their sum is right, and nobody waits longer.',
  confusers: ['F21'],
  inject(world, random, severity, source) {
    const cluster = random.pick([...new Set(world.fleet.engines.map((engine) => engine.spec.placement.cluster))].sort())
    const engines = world.fleet.engines.filter((engine) => engine.spec.placement.cluster === cluster)
    return {
      truth: {
        slice: { cluster: [cluster] },
        cause: { cluster: [cluster] },
        phases: ['client.upload', 'stream.network'],
        mechanism: 'clock_skew',
        victims: [],
        steadyPhases: ['gateway.route', 'engine.tokenize', 'engine.prefill', 'engine.decode'],
        columns: [],
        verdict: 'no_regression',
      },
      apply(intensity) {
        for (const engine of engines) engine.clockSkew.set(source, 0.05 * severity * intensity)
      },
    }
  },
}
