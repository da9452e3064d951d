// Prefill starves decode
import type { FaultDefinition } from '../fault.ts'
import { between, drawPool, isUnified, victimsOfPrompts } from '../targets.ts'

export const prefillStarvesDecode: FaultDefinition = {
  id: 'F12',
  name: 'prefill-starves-decode',
  title: 'Prefill starves decode',
  description:
    'The chunk budget of a unified pool is raised 16-fold and a tenant with prompts 4·severity times as long arrives on it: every step that carries a prompt stretches all streams.',
  confusers: ['F19', 'F10'],
  inject(world, random, severity, source) {
    const pool = drawPool(world, random, isUnified)
    const users = world.tenants.filter((tenant) => !tenant.closedLoop && tenant.models[0]?.model === pool.model)
    const tenant = random.pick(users)
    return {
      truth: {
        slice: { model: [pool.model.name], region: [pool.region] },
        cause: { tenant: [tenant.name], model: [pool.model.name], region: [pool.region] },
        phases: ['engine.decode', 'engine.prefill', 'engine.admit'],
        mechanism: 'prefill_decode_interference',
        victims: victimsOfPrompts(tenant),
        steadyPhases: ['gateway.route', 'kv.transfer'],
        columns: ['itl_max', 'tpot', 'prompt_tokens'],
        verdict: 'localized',
      },
      apply(intensity) {
        tenant.promptScale.set(source, between(1, 1 + 4 * severity, intensity))
        for (const engine of pool.engines) engine.batchedTokensScale.set(source, intensity > 0 ? 16 : 1)
      },
      change: {
        kind: 'config',
        title: `${pool.model.name} in ${pool.region}: max_num_batched_tokens raised`,
        scope: { model: [pool.model.name], region: [pool.region] },
      },
    }
  },
}
