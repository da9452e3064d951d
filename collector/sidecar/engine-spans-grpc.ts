// The same over OTLP/gRPC, which SGLang and others send by default. Loaded only where a gRPC listener is asked for: the library is
// large, and the message is never decoded.
import { Server as GrpcServer, type Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import { countProtobufSpans, MAX_BODY_BYTES } from './count-spans.ts'
import type { EngineSpansSettings } from './engine-spans.ts'
import type { Address } from './settings.ts'
import { compressed } from './span-batch.ts'

const asBytes = (bytes: Buffer) => bytes

/** Method table of opentelemetry.proto.collector.trace.v1.TraceService; bytes in, bytes out. */
const TRACE_SERVICE = {
  export: {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  },
} as const

/** Listens; resolves with the server and its port. Rejects where the port is taken. */
export function startEngineSpansGrpc(
  { host, port }: Address,
  { take, isFull }: EngineSpansSettings,
): Promise<{ server: Server; port: number }> {
  const server = new GrpcServer({ 'grpc.max_receive_message_length': MAX_BODY_BYTES })
  server.addService(TRACE_SERVICE, {
    export(call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) {
      if (isFull()) return reply({ code: status.UNAVAILABLE, details: 'the queue towards the hub is full' })
      let spans: number
      try {
        spans = countProtobufSpans(call.request)
      } catch (error) {
        return reply({ code: status.INVALID_ARGUMENT, details: (error as Error).message })
      }
      take(compressed(call.request), spans)
      reply(null, Buffer.alloc(0))
    },
  })
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host.includes(':') ? `[${host}]` : host}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve({ server, port: bound })
      else reject(error)
    })
  })
}
