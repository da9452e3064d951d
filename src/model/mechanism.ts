// Why a phase became slow: the closed list of mechanisms. Simulator truths, the localizer's answers, boards and runbooks use these ids.

export interface MechanismDefinition {
  readonly id: string
  /** Short name for a page or a table. */
  readonly title: string
  /** One sentence for the person on call. */
  readonly description: string
}

export const MECHANISMS = [
  {
    id: 'cache_hit_drop',
    title: 'Cache hit drop',
    description: 'The same prompts hit the prefix cache less, so more tokens are computed.',
  },
  {
    id: 'slower_compute',
    title: 'Slower compute',
    description: 'The same work at the same batch takes longer: clocks, memory, a slower kernel or revision.',
  },
  { id: 'longer_work', title: 'Longer work', description: 'Prompts or outputs grew; the cost per token is unchanged.' },
  { id: 'demand_saturation', title: 'Demand saturation', description: 'More work arrives than the pool serves; only waiting grows.' },
  { id: 'capacity_loss', title: 'Capacity loss', description: 'The same work on fewer or weaker replicas; only waiting grows.' },
  { id: 'load_imbalance', title: 'Load imbalance', description: 'Some replicas queue while their siblings are idle.' },
  { id: 'noisy_neighbour', title: 'Noisy neighbour', description: 'One tenant or route takes the capacity that others share.' },
  { id: 'preemption', title: 'Preemption', description: 'The KV cache is full; requests are preempted and recomputed.' },
  { id: 'cold_start', title: 'Cold start', description: 'Young replicas are slow and recover with age.' },
  { id: 'adapter_load', title: 'Adapter load', description: 'LoRA adapters have to be loaded before their requests run.' },
  { id: 'kv_transfer', title: 'KV transfer', description: 'KV blocks move slowly between prefill and decode.' },
  { id: 'kv_tier_slow', title: 'KV tier slow', description: 'Loading cached blocks from a lower tier takes longer than it saves.' },
  { id: 'client_network', title: 'Client network', description: 'The way between client and fleet is slow; the servers are not.' },
  { id: 'gateway_overhead', title: 'Gateway overhead', description: 'A gateway or router adds delay before the engine has the request.' },
  { id: 'tokenizer_cpu', title: 'Tokenizer CPU', description: 'The API server tokenizes slowly; the engine behind it idles.' },
  { id: 'detokenizer_cpu', title: 'Detokenizer CPU', description: 'Tokens exist in the core but leave the API server late.' },
  { id: 'slow_consumer', title: 'Slow consumer', description: 'The caller reads its stream slowly.' },
  { id: 'expert_imbalance', title: 'Expert imbalance', description: 'Hot experts or an overloaded rank make every rank of a group wait.' },
  { id: 'slow_rank', title: 'Slow rank', description: 'One rank of a group is slow and all others wait for it.' },
  {
    id: 'prefill_decode_interference',
    title: 'Prefill interference',
    description: 'Long prefills share steps with decodes and stretch them.',
  },
  { id: 'decode_kv_full', title: 'Decode KV full', description: 'Decode has no room; prefill is held back.' },
  { id: 'host_stall', title: 'Host stall', description: 'Pauses of the host process stop all streams at the same instants.' },
  { id: 'speculation_drop', title: 'Speculation drop', description: 'Fewer drafted tokens are accepted; steps are as fast as before.' },
  { id: 'retry_storm', title: 'Retry storm', description: 'Clients try again and again; unique requests are flat.' },
  { id: 'region_failover', title: 'Region failover', description: "Another region's traffic arrives over a longer way." },
  { id: 'hang', title: 'Hang', description: 'Requests are accepted and never finish.' },
  { id: 'crash_loop', title: 'Crash loop', description: 'Replicas restart again and again.' },
  { id: 'server_errors', title: 'Server errors', description: 'Requests are answered with errors.' },
  {
    id: 'instrumentation_change',
    title: 'Instrumentation change',
    description: 'Time moved from one phase to another; the total is unchanged.',
  },
  { id: 'clock_skew', title: 'Clock skew', description: 'Two hosts disagree about the time; phases between them are wrong.' },
] as const satisfies readonly MechanismDefinition[]

export type MechanismId = (typeof MECHANISMS)[number]['id']
