// A gateway, router or sidecar adds delay before the engine has the request.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const gatewayOverhead: MechanismTest = {
  id: 'gateway_overhead',
  signals: ['phase gateway.queue', 'phase gateway.route', 'phase sidecar'],
  confusedWith: ['client_network', 'tokenizer_cpu'],
  test(signals) {
    const share = signals.share('gateway', 'sidecar')
    if (share < 0.4) return null
    return evidence(0.4 + 0.55 * Math.min(1, share), [`gateway and sidecar are ${percent(share)} of the change`])
  },
}
