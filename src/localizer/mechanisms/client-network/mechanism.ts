// The way between client and fleet: connect, upload and return path grow, server phases are flat.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const clientNetwork: MechanismTest = {
  id: 'client_network',
  signals: ['phase client.connect', 'phase client.upload', 'phase stream.network', 'client_region', 'sdk'],
  confusedWith: ['region_failover', 'gateway_overhead', 'clock_skew'],
  test(signals) {
    const share = signals.share('network')
    if (share < 0.4) return null
    const servers = signals.share('queue', 'prefill', 'decode')
    return evidence(
      0.4 + 0.5 * Math.min(1, share),
      [`the network is ${percent(share)} of the change`, servers < 0.2 && 'server phases are flat'],
      [servers > 0.3 && `server phases are ${percent(servers)}`],
    )
  },
}
