// OTLP protobuf log bodies → log records (opentelemetry-proto logs/v1). The hub reads sidecars' `longpole.request.open` events from them.
import { readGroups } from './decode.ts'
import { BYTES, DECODE_LIMITS, type DecodeLimits, FIXED64, guarded, OtlpReader, VARINT } from './decode-value.ts'
import type { LogRecord } from './signals.ts'

export interface DecodedLogs {
  records: LogRecord[]
  truncated: number
}

/** ExportLogsServiceRequest → log records. Throws MalformedOtlp or TooManyItems. */
export function decodeLogs(body: Uint8Array, limits: DecodeLimits = DECODE_LIMITS): DecodedLogs {
  return guarded(() => {
    const reader = new OtlpReader(body, limits)
    const records: LogRecord[] = []
    readGroups(reader, (outerEnd, origin) => {
      reader.countItem()
      const record: LogRecord = {
        ...origin,
        timeUnixNano: 0n,
        observedUnixNano: 0n,
        severityNumber: 0,
        eventName: '',
        body: null,
        attributes: {},
        traceId: '',
        spanId: '',
      }
      let count = 0
      reader.message(outerEnd, (field, type, end) => {
        if (type === BYTES) {
          if (field === 5) record.body = reader.anyValue(end, 0)
          else if (field === 6) reader.keyValue(end, record.attributes, count++)
          else if (field === 9) record.traceId = reader.id(end, 16)
          else if (field === 10) record.spanId = reader.id(end, 8)
          else if (field === 12) record.eventName = reader.text(end)
        } else if (type === FIXED64) {
          if (field === 1) record.timeUnixNano = reader.fixed64()
          else if (field === 11) record.observedUnixNano = reader.fixed64()
        } else if (type === VARINT && field === 2) record.severityNumber = reader.uint()
      })
      records.push(record)
    })
    return { records, truncated: reader.truncated }
  })
}
