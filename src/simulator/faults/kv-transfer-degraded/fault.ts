// KV transfer degraded
import type { FaultDefinition } from '../fault.ts'
import { between, drawPrefill } from '../targets.ts'

export const kvTransferDegraded: FaultDefinition = {
  id: 'F17',
  name: 'kv-transfer-degraded',
  title: 'KV transfer degraded',
  description:
    'KV of one prefill replica leaves over a slow path (RDMA fell back to TCP): 1 + 18·severity times as long for the same bytes; finished prompts hold memory meanwhile.',
  confusers: ['F18', 'F11'],
  inject(world, random, severity, source) {
    const { engine } = drawPrefill(world, random)
    return {
      truth: {
        slice: { prefill_replica: [engine.spec.name] },
        cause: { prefill_replica: [engine.spec.name] },
        phases: ['kv.transfer'],
        mechanism: 'kv_transfer',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize', 'engine.decode'],
        columns: ['ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        engine.transferScale.set(source, between(1, 1 + 18 * severity, intensity))
      },
    }
  },
}
