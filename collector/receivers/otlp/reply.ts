// Answers of an OTLP server: Export…ServiceResponse with partial success, and google.rpc.Status for errors, in both encodings
// (OpenTelemetry Protocol Specification 1.x, "OTLP/HTTP Response" and "OTLP/gRPC Throttling").
import { PbfWriter } from 'pbf'

/** google.rpc.Code. */
export const Code = {
  invalidArgument: 3,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

const REJECTED_KEY = { traces: 'rejectedSpans', logs: 'rejectedLogRecords', metrics: 'rejectedDataPoints' } as const

/** Response of a request that was taken; empty where everything was. */
export function encodeResponse(rejected: number, message: string): Buffer {
  const writer = new PbfWriter()
  if (rejected > 0 || message !== '') {
    writer.writeMessage(
      1,
      (_, partial) => {
        if (rejected > 0) partial.writeVarintField(1, rejected)
        if (message !== '') partial.writeStringField(2, message)
      },
      undefined,
    )
  }
  return Buffer.from(writer.finish())
}

export function encodeResponseJson(signal: keyof typeof REJECTED_KEY, rejected: number, message: string): Buffer {
  const isWhole = rejected === 0 && message === ''
  return Buffer.from(JSON.stringify(isWhole ? {} : { partialSuccess: { [REJECTED_KEY[signal]]: String(rejected), errorMessage: message } }))
}

export function encodeStatus(code: number, message: string): Buffer {
  const writer = new PbfWriter()
  writer.writeVarintField(1, code)
  writer.writeStringField(2, message)
  return Buffer.from(writer.finish())
}

export function encodeStatusJson(code: number, message: string): Buffer {
  return Buffer.from(JSON.stringify({ code, message }))
}

/** `grpc-status-details-bin`: a status with google.rpc.RetryInfo, without which RESOURCE_EXHAUSTED is not retried. */
export function encodeRetryStatus(code: number, message: string, afterSeconds: number): Buffer {
  const writer = new PbfWriter()
  writer.writeVarintField(1, code)
  writer.writeStringField(2, message)
  writer.writeMessage(
    3,
    (_, any) => {
      any.writeStringField(1, 'type.googleapis.com/google.rpc.RetryInfo')
      any.writeMessage(
        2,
        (seconds, info) => info.writeMessage(1, (value, duration) => duration.writeVarintField(1, value), seconds),
        afterSeconds,
      )
    },
    undefined,
  )
  return Buffer.from(writer.finish())
}
