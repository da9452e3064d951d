// LoRA adapters have to be loaded first: a minority of rows with a large extra delay, flagged.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const adapterLoad: MechanismTest = {
  id: 'adapter_load',
  signals: ['adapter_loaded', 'adapter'],
  confusedWith: ['demand_saturation', 'load_imbalance'],
  test(signals) {
    const loaded = signals.change('adapter_loaded')
    if (loaded !== null && loaded.now > 1.5 * loaded.before + 0.02) {
      return evidence(0.9, [`${percent(loaded.now)} of its requests had to load an adapter (${percent(loaded.before)} before)`])
    }
    if (loaded !== null || !signals.isSliceOf('adapter')) return null
    return evidence(0.65, ['the slice is an adapter', signals.share('queue') > 0.4 && 'it waits before it runs'], [], ['adapter_loaded'])
  },
}
