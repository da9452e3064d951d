// OTLP over gRPC: the three Export methods of opentelemetry.proto.collector, with raw bytes through our own decoder. gzip is grpc-js's,
// bounded by the largest message it takes.
import {
  Metadata,
  Server,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { decodeTraces } from '../../../src/wire/otlp/decode.ts'
import { decodeLogs } from '../../../src/wire/otlp/decode-logs.ts'
import { decodeMetrics } from '../../../src/wire/otlp/decode-metrics.ts'
import { RefusedBody } from './body.ts'
import { asRefusal } from './http.ts'
import { Code, encodeResponse, encodeRetryStatus } from './reply.ts'
import type { OtlpHandlers, ReceiverSettings, Verdict } from './verdict.ts'

const SERVICES: { path: string; handle(handlers: OtlpHandlers, body: Buffer): Promise<Verdict> }[] = [
  {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    handle: (handlers, body) => handlers.traces(decodeTraces(body)),
  },
  {
    path: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    handle: (handlers, body) => handlers.logs(decodeLogs(body)),
  },
  {
    path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    handle: (handlers, body) => handlers.metrics(decodeMetrics(body)),
  },
]

const asIs = (bytes: Buffer): Buffer => bytes

export function createGrpcReceiver(settings: ReceiverSettings): Server {
  const { handlers, bodyBytes, inFlight, authorize, onRefused, onError } = settings
  const server = new Server({ 'grpc.max_receive_message_length': bodyBytes, 'grpc.max_concurrent_streams': 256 })

  async function receive(call: ServerUnaryCall<Buffer, Buffer>, handle: (typeof SERVICES)[0]['handle']): Promise<Verdict> {
    const [header] = call.metadata.get('authorization')
    if (!authorize(header?.toString())) throw new RefusedBody('unauthorized', 'a bearer token is needed')
    const bytes = call.request.length
    if (!inFlight.take(bytes)) throw new RefusedBody('overloaded', 'too many bodies in work: send again later')
    try {
      return await handle(handlers, call.request)
    } finally {
      inFlight.give(bytes)
    }
  }

  for (const { path, handle } of SERVICES) {
    const method = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    }
    server.addService(
      { Export: method } as unknown as ServiceDefinition<UntypedServiceImplementation>,
      {
        Export(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
          receive(call, handle).then(
            (verdict) => conclude(verdict, callback),
            (error) => {
              const refusal = asRefusal(error)
              if (refusal === null) onError(error)
              else onRefused(refusal.reason)
              if (refusal?.reason === 'overloaded') return retry(callback, Code.resourceExhausted, refusal.message, 1)
              const code =
                refusal === null ? Code.internal : refusal.reason === 'unauthorized' ? Code.unauthenticated : Code.invalidArgument
              callback({ code, details: refusal?.message ?? 'internal error' })
            },
          )
        },
      } as unknown as UntypedServiceImplementation,
    )
  }
  return server
}

function conclude(verdict: Verdict, callback: sendUnaryData<Buffer>): void {
  if (verdict.kind === 'taken') callback(null, encodeResponse(verdict.rejected, verdict.message))
  else retry(callback, verdict.cause === 'overloaded' ? Code.resourceExhausted : Code.unavailable, verdict.message, verdict.afterSeconds)
}

function retry(callback: sendUnaryData<Buffer>, code: number, message: string, afterSeconds: number): void {
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', encodeRetryStatus(code, message, afterSeconds))
  callback({ code, details: message, metadata })
}
