// One tenant or route takes capacity that others share: its tokens rose on the slice's replicas before the others' queues did.
import { evidence, type MechanismTest } from '../mechanism.ts'

export const noisyNeighbour: MechanismTest = {
  id: 'noisy_neighbour',
  signals: ['tenant', 'route', 'prompt_tokens', 'phase engine.queue'],
  confusedWith: ['demand_saturation', 'longer_work'],
  test(signals) {
    const waiting = signals.share('queue', 'kv_wait', 'prefill', 'decode')
    if (signals.hasPhases && waiting < 0.4) return null
    const aggressor = signals.moves.find((move) => (move.dimension === 'tenant' || move.dimension === 'route') && move.to > 1.5 * move.from)
    if (aggressor === undefined) return null
    const grown = signals.mostGrowth
    const itself = aggressor.dimension !== null && signals.slice[aggressor.dimension]?.includes(aggressor.value ?? '') === true
    return evidence(0.45 + Math.min(0.35, (grown - 1) / 2) + (itself ? 0.1 : 0), [
      `${aggressor.dimension} ${aggressor.value}: ${aggressor.quantity} ${aggressor.from.toPrecision(3)} → ${aggressor.to.toPrecision(3)}`,
      grown > 1.1 && `its replicas get ${grown.toFixed(2)} times the work`,
    ])
  },
}
