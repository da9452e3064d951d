// Tokenizer starved of CPU
import type { FaultDefinition } from '../fault.ts'
import { between, drawServing, isUnified, replicaSlice } from '../targets.ts'

export const tokenizerStarved: FaultDefinition = {
  id: 'F14',
  name: 'tokenizer-starved',
  title: 'Tokenizer starved of CPU',
  description:
    'The API server of one replica has too little CPU: tokenizing takes 1 + 30·severity times as long, for all its requests, growing with prompt length; the engine behind it idles.',
  confusers: ['F21', 'F11'],
  inject(world, random, severity, source) {
    const engine = drawServing(world, random, isUnified)
    const slice = replicaSlice(engine)
    return {
      truth: {
        slice,
        cause: slice,
        phases: ['engine.tokenize'],
        mechanism: 'tokenizer_cpu',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.prefill', 'engine.decode'],
        columns: ['ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        engine.tokenizerScale.set(source, between(1, 1 + 30 * severity, intensity))
      },
    }
  },
}
