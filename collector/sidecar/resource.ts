// Who this sidecar is, as OTLP resource attributes: what the hub needs to know where a request was served.
import { hostname } from 'node:os'
import { Longpole, Otel } from '@longpole/model/conventions/attributes'
import type { Attributes } from '@longpole/model/span'
import type { SidecarSettings } from './settings.ts'

export function createResource({ identity, version }: SidecarSettings, instance: string): Attributes {
  const resource: Attributes = {
    [Otel.serviceName]: 'longpole-sidecar',
    [Otel.serviceVersion]: version,
    [Otel.serviceInstanceId]: instance,
    [Otel.hostName]: hostname(),
    [Otel.processPid]: process.pid,
    [Longpole.replica]: identity.replica,
  }
  const named: [string, string | null][] = [
    [Longpole.cluster, identity.cluster],
    [Longpole.region, identity.region],
    [Longpole.zone, identity.zone],
    [Longpole.node, identity.node],
    [Longpole.pool, identity.pool],
    [Longpole.model, identity.model],
  ]
  for (const [key, value] of named) if (value !== null) resource[key] = value
  return resource
}
