// The first thing to do, by the phase that a finding names. Ordered as incidents are resolved in practice: route, rebalance, add
// capacity, drain, and only then repair (arXiv 2511.07424). Each names its way back.
import type { PhaseId } from '@longpole/model/phase'

export const FIRST_ACTIONS: Record<PhaseId, string> = {
  'client.backoff': 'Retries are waiting: look at the errors of the first attempts; lower retry budgets until they stop (restore after).',
  'client.connect':
    'Connections are slow: check DNS, load balancer and TLS of the region named; move its clients to another region (move back after).',
  'client.upload': 'Requests arrive late: check the path into the region named and body sizes; route around it (route back after).',
  'gateway.queue': 'Requests wait at the gateway: raise its admission limit or add replicas (revert when the queue is empty).',
  'gateway.route': 'Routing is slow: check CPU of the gateway and its scorer; switch to round robin (switch back after).',
  sidecar: 'The sidecar is slow: route past it to the engine port (telemetry is lost, traffic is not); restore after.',
  'engine.tokenize': 'Tokenizing is slow: check CPU limits of the API server; add API server processes (revert the flag to undo).',
  'engine.admit':
    'Requests wait for the running step: lower the chunked-prefill budget or split prefill from decode (revert the flag to undo).',
  'engine.queue': 'Requests queue: if all replicas do, add replicas or shed batch traffic; if one does, drain it (uncordon to undo).',
  'engine.queue_or_kv':
    'Requests wait for a slot or for KV: look at the prefill side and at transfers first; then add decode replicas (scale back to undo).',
  'kv.load': 'KV is loaded slowly from its tier: check disk and host memory bandwidth; switch that tier off (switch on to undo).',
  'kv.transfer':
    'KV transfers are slow: look for one pair or one NIC; drain that replica or fall back to aggregated serving (revert to undo).',
  'engine.prefill':
    'Prefill is slow: check cache hit ratio and prompt lengths; restore affinity routing or add prefill replicas (scale back to undo).',
  'engine.emit': 'Emitting is slow: check CPU of the API server and its event loop; move logging and parsers off it (revert to undo).',
  'stream.network': 'The return path is slow: check proxies that buffer and the region named; route around it (route back after).',
  'engine.decode': 'Decode is slow: compare replicas for throttling, batch size and preemptions; drain the slow one (uncordon to undo).',
  'stream.drain': 'Last bytes leave late: look for slow readers and buffering proxies; raise write buffers (revert to undo).',
  'client.consume': 'Callers read slowly: tell the tenant; nothing in the fleet helps, and nothing needs to be undone.',
  unattributed: 'No phase explains it: check which vantage is missing on the board Longpole itself; restart its sidecar (nothing to undo).',
}
