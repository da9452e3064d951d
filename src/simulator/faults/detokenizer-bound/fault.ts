// Detokenizer bound by CPU
import type { FaultDefinition } from '../fault.ts'
import { between, drawServing, isUnified, replicaSlice } from '../targets.ts'

export const detokenizerBound: FaultDefinition = {
  id: 'F15',
  name: 'detokenizer-bound',
  title: 'Detokenizer bound by CPU',
  description:
    'The process that turns tokens into chunks cannot keep up with all its streams: 1 + 30·severity times its usual cost a token. The core steps on unhurt.',
  confusers: ['F21', 'F16'],
  inject(world, random, severity, source) {
    const engine = drawServing(world, random, isUnified)
    const slice = replicaSlice(engine)
    return {
      truth: {
        slice,
        cause: slice,
        phases: ['engine.emit', 'stream.drain'],
        mechanism: 'detokenizer_cpu',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.prefill', 'engine.decode', 'engine.queue'],
        columns: ['tpot'],
        verdict: 'localized',
      },
      apply(intensity) {
        engine.emitScale.set(source, between(1, 1 + 30 * severity, intensity))
      },
    }
  },
}
