// Client network regression
import type { FaultDefinition } from '../fault.ts'

export const clientNetwork: FaultDefinition = {
  id: 'F21',
  name: 'client-network',
  title: 'Client network regression',
  description:
    'The way from one client region gets worse: 0.12·severity seconds of round trip, 2 % · severity of packets lost, more new connections.',
  confusers: ['F15', 'F22'],
  inject(world, random, severity, source) {
    const regions = new Set(
      world.tenants.filter((tenant) => tenant.share > 0.04).map((tenant) => tenant.clients[0]?.client.region as string),
    )
    const region = random.pick([...regions].sort())
    return {
      truth: {
        slice: { client_region: [region] },
        cause: { client_region: [region] },
        phases: ['client.upload', 'stream.network', 'client.connect'],
        mechanism: 'client_network',
        victims: [],
        steadyPhases: ['gateway.route', 'engine.tokenize', 'engine.prefill', 'engine.decode'],
        columns: ['ttft', 'itl_max'],
        verdict: 'localized',
      },
      apply(intensity) {
        const path = world.fleet.paths.get(region)
        path?.extraRtt.set(source, 0.12 * severity * intensity)
        path?.loss.set(source, 0.02 * severity * intensity)
        path?.coldShare.set(source, 0.1 * severity * intensity)
      },
    }
  },
}
