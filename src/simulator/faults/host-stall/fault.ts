// Host stalls
import type { FaultDefinition } from '../fault.ts'
import { drawServing, replicaSlice } from '../targets.ts'

export const hostStall: FaultDefinition = {
  id: 'F16',
  name: 'host-stall',
  title: 'Host stalls',
  description:
    'The host process of one replica stops for 0.2·severity seconds every 1.5 s (garbage collection, a blocked loop): all its streams stand still at the same instants.',
  confusers: ['F10', 'F12'],
  inject(world, random, severity, source) {
    const engine = drawServing(world, random)
    const slice = replicaSlice(engine)
    return {
      truth: {
        slice,
        cause: slice,
        phases: ['engine.decode', 'engine.admit'],
        mechanism: 'host_stall',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['itl_max', 'tpot'],
        verdict: 'localized',
      },
      apply(intensity) {
        engine.hostStall.set(source, 0.2 * severity * intensity)
      },
    }
  },
}
