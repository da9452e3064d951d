// `longpole.request.open` log records of sidecars → open requests. Other log records are counted and let go.
import { Events, GenAi, Longpole } from '@longpole/model/conventions/attributes'
import type { OpenRequest } from '@longpole/model/observation'
import { type PromptClass, promptClass } from '@longpole/model/request-record'
import type { AttributeValue, Span } from '@longpole/model/span'
import { readColumns } from '../../src/engines/longpole/columns.ts'
import type { LogRecord } from '../../src/wire/otlp/signals.ts'

export interface ReadOpenRequests {
  open: OpenRequest[]
  ignored: number
}

/** `records` without content: the redact processor has seen them. */
export function readOpenRequests(records: readonly LogRecord[], defaultCluster: string | null): ReadOpenRequests {
  const open: OpenRequest[] = []
  for (const record of records) {
    const request = record.eventName === Events.requestOpen ? readOne(record, defaultCluster) : null
    if (request !== null) open.push(request)
  }
  return { open, ignored: records.length - open.length }
}

function readOne(record: LogRecord, defaultCluster: string | null): OpenRequest | null {
  const { attributes, resource, traceId, spanId } = record
  const age = attributes[Events.openAge]
  const start = attributes[Events.openStart]
  if (traceId === '' || spanId === '' || typeof age !== 'number' || !(age >= 0)) return null
  const observedUnixNano = record.timeUnixNano > 0n ? record.timeUnixNano : record.observedUnixNano
  const isInstant = typeof start === 'string' && /^\d{1,19}$/.test(start)
  const columns = readColumns({ attributes, resource } as unknown as Span)
  return {
    traceId,
    spanId,
    requestId: String(attributes[Longpole.requestId] ?? ''),
    startUnixNano: isInstant ? BigInt(start) : observedUnixNano - BigInt(Math.round(age * 1e9)),
    observedUnixNano,
    ageSeconds: age,
    phase: textOf(attributes[Events.openPhase]) ?? 'unattributed',
    columns: {
      ...columns,
      cluster: columns.cluster ?? defaultCluster,
      model: columns.model ?? textOf(attributes[GenAi.responseModel]),
      prompt_class: columns.prompt_class ?? longestClass(attributes[Longpole.requestBytes]),
    },
  }
}

/**
 * How long the prompt can be at most: a token is at least a byte. Nobody knows its tokens while it is open, and an unknown length is given
 * the limits of the longest prompts, under which a hang would look well for half a minute.
 */
function longestClass(requestBytes: AttributeValue | undefined): PromptClass | null {
  return typeof requestBytes === 'number' || typeof requestBytes === 'bigint' ? promptClass(Number(requestBytes)) : null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
