// Another region serves the slice's clients: the way is longer, and who serves them changed.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const regionFailover: MechanismTest = {
  id: 'region_failover',
  signals: ['region', 'client_region'],
  confusedWith: ['client_network', 'demand_saturation'],
  test(signals) {
    const region = signals.given.table.dimensions.get('region')
    if (region === undefined || region.values.length < 2) return null
    const shares = (rows: Int32Array) => {
      const counts = new Float64Array(region.values.length + 1)
      for (const row of rows)
        counts[region.ids[row] as number] = (counts[region.ids[row] as number] as number) + 1 / Math.max(rows.length, 1)
      return counts
    }
    const now = shares(signals.rows.incident)
    const before = shares(signals.rows.baseline)
    const moved = now.reduce((sum, share, id) => sum + Math.abs(share - (before[id] as number)), 0) / 2
    if (moved < 0.15) return null
    return evidence(0.45 + moved / 2 + 0.3 * Math.min(1, signals.share('network')), [
      `${percent(moved)} of its requests are served by another region than before`,
      signals.share('network') > 0.2 && `the network is ${percent(signals.share('network'))} of the change`,
    ])
  },
}
