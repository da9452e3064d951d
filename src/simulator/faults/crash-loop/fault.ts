// Crash loop
import type { FaultDefinition } from '../fault.ts'
import { drawServing, isUnified, replicaSlice } from '../targets.ts'

export const crashLoop: FaultDefinition = {
  id: 'F32',
  name: 'crash-loop',
  title: 'Crash loop',
  description: 'One replica dies of memory every 90/severity seconds, fails what it ran and comes back cold 30 s later.',
  confusers: ['F20'],
  inject(world, random, severity) {
    const engine = drawServing(world, random, isUnified)
    const slice = replicaSlice(engine)
    return {
      truth: {
        slice,
        cause: slice,
        phases: ['engine.decode', 'engine.prefill'],
        mechanism: 'crash_loop',
        victims: [
          {
            slice: { model: [engine.spec.model], region: [engine.spec.placement.region] },
            phases: ['engine.queue', 'engine.decode'],
            why: 'the sibling takes all while it is down',
          },
        ],
        steadyPhases: ['gateway.route', 'client.upload'],
        columns: ['outcome', 'error_class', 'attempts', 'cold'],
        verdict: 'localized',
      },
      apply(intensity, now) {
        if (intensity === 0 && !engine.up) engine.start(now, 60)
      },
      repeat: {
        everySeconds: 90 / severity,
        act(now) {
          if (!engine.up) return
          engine.crash(now, 'connection_reset')
          world.later(now + 30, (then) => engine.start(then, 60))
        },
      },
    }
  },
}
