// The processes of the simulated fleet that send spans, with the resources their real counterparts were recorded with, and with clocks
// that disagree by a few milliseconds between hosts.
import { Longpole, Otel, ScopeName } from '@longpole/model/conventions/attributes'
import { hashText, inverseNormal } from '../core/random.ts'
import type { SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import type { Sender, SpanAttributes } from './span.ts'

/** Standard deviation of a host's clock against true time: NTP on a good network. */
const CLOCK_SIGMA_SECONDS = 0.002

export class Senders {
  private readonly senders = new Map<string, Sender>()
  private readonly seed: number

  constructor(seed: number) {
    this.seed = seed
  }

  client(request: SimRequest): Sender {
    const { client, tenant } = request
    const host = `${tenant.name}-${client.region}`
    return this.sender(`client ${host} ${client.sdkVersion}`, host, { name: ScopeName.sdk, version: '0.1.0' }, null, {
      [Otel.serviceName]: `app-${tenant.name}`,
      [Otel.serviceInstanceId]: `${host}-${client.sdkVersion}`,
      [Otel.hostName]: host,
      [Otel.telemetrySdkName]: 'opentelemetry',
      [Otel.telemetrySdkLanguage]: 'nodejs',
    })
  }

  sidecar(engine: Engine): Sender {
    const { spec } = engine
    return this.sender(`sidecar ${spec.name}`, spec.placement.node, { name: ScopeName.sidecar, version: '0.1.0' }, null, {
      [Otel.serviceName]: 'longpole-sidecar',
      [Otel.serviceVersion]: '0.1.0',
      [Otel.serviceInstanceId]: `sidecar-${spec.name}`,
      [Otel.hostName]: spec.placement.node,
      [Longpole.model]: spec.model,
      ...place(engine),
    })
  }

  /** vLLM's API server: no version in its resource, a process id as text. */
  vllm(engine: Engine): Sender {
    const { spec } = engine
    return this.sender(`vllm ${spec.name}`, spec.placement.node, { name: 'vllm.tracing.otel', version: '' }, spec.name, {
      [Otel.telemetrySdkLanguage]: 'python',
      [Otel.telemetrySdkName]: 'opentelemetry',
      'telemetry.sdk.version': '1.45.2',
      [Otel.serviceName]: 'vllm-server',
      [Otel.serviceInstanceId]: `vllm-${spec.name}`,
      'vllm.instrumenting_module_name': 'vllm.llm_engine',
      'vllm.process_id': String(1000 + (hashText(this.seed, spec.name) % 30_000)),
      ...place(engine),
    })
  }

  /** SGLang sends from its API server and its scheduler; both convert one host's monotonic clock. */
  sglang(engine: Engine, process: 'tokenizer' | 'scheduler'): Sender {
    const { spec } = engine
    return this.sender(`sglang ${process} ${spec.name}`, spec.placement.node, { name: 'sglang server', version: '' }, spec.name, {
      [Otel.telemetrySdkLanguage]: 'python',
      [Otel.telemetrySdkName]: 'opentelemetry',
      'telemetry.sdk.version': '1.45.2',
      [Otel.serviceInstanceId]: `sglang-${process}-${spec.name}`,
      [Otel.serviceName]: 'sglang',
      ...place(engine),
    })
  }

  /** llm-d's endpoint picker in front of vLLM pools. */
  picker(name: string): Sender {
    return this.sender(`epp ${name}`, name, { name: 'llm-d-router/pkg/epp/handlers', version: '' }, null, {
      [Otel.serviceName]: `llm-d-${name}`,
      [Otel.hostName]: name,
    })
  }

  pickerControl(name: string): Sender {
    return this.sender(`epp control ${name}`, name, { name: 'llm-d-router/pkg/epp/requestcontrol', version: '' }, null, {
      [Otel.serviceName]: `llm-d-${name}`,
      [Otel.hostName]: name,
    })
  }

  /** SGLang's router: starts traces of its own. */
  router(name: string): Sender {
    return this.sender(`smg ${name}`, name, { name: 'smg', version: '' }, null, {
      [Otel.serviceName]: name,
      [Otel.hostName]: name,
      'telemetry.sdk.version': '0.27.1',
      [Otel.telemetrySdkName]: 'opentelemetry',
      [Otel.telemetrySdkLanguage]: 'rust',
    })
  }

  private sender(key: string, host: string, scope: Sender['scope'], sidecarOf: string | null, resource: SpanAttributes): Sender {
    let sender = this.senders.get(key)
    if (sender === undefined) {
      const draw = (hashText(this.seed, `clock ${host}`) + 0.5) / 4294967296
      sender = { key, resource, scope, clockOffset: CLOCK_SIGMA_SECONDS * inverseNormal(draw), sidecarOf }
      this.senders.set(key, sender)
    }
    return sender
  }
}

/** What a deployment puts into OTEL_RESOURCE_ATTRIBUTES of engine and sidecar. */
function place({ spec }: Engine): SpanAttributes {
  return {
    [Longpole.replica]: spec.name,
    [Longpole.cluster]: spec.placement.cluster,
    [Longpole.region]: spec.placement.region,
    [Longpole.zone]: spec.placement.zone,
    [Longpole.node]: spec.placement.node,
    [Longpole.pool]: spec.role,
    [Longpole.revision]: spec.revision.name,
    [Longpole.gpuType]: spec.placement.gpuType,
    [Longpole.engineVersion]: spec.revision.engineVersion,
    ...(spec.epGroup === null ? {} : { [Longpole.epGroup]: spec.epGroup }),
  }
}
