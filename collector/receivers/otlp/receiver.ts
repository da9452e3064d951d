// The OTLP receiver: one HTTP and one gRPC listener in front of the same handlers.
import type { Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import { createGrpcReceiver } from './grpc.ts'
import { createHttpReceiver } from './http.ts'
import type { ReceiverSettings } from './verdict.ts'

export interface OtlpReceiver {
  /** The ports that were taken, also where 0 was asked for. */
  httpPort: number
  grpcPort: number
  /** No new requests; resolves when those under way are answered. */
  close(): Promise<void>
}

/** A listener that cannot be opened: names the address, the key that changes it, and the reason. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly exitStatus = 2
}

export async function startOtlpReceiver(settings: ReceiverSettings, listen: { otlpHttp: string; otlpGrpc: string }): Promise<OtlpReceiver> {
  const http = createHttpReceiver(settings)
  const grpc = createGrpcReceiver(settings)
  const httpPort = await listenHttp(http, listen.otlpHttp)
  try {
    const grpcPort = await listenGrpc(grpc, listen.otlpGrpc)
    return { httpPort, grpcPort, close: () => close(http, grpc) }
  } catch (error) {
    http.close()
    throw error
  }
}

function listenHttp(server: HttpServer, address: string): Promise<number> {
  const { host, port } = splitAddress(address)
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError('listen.otlpHttp', address, error.code ?? error.message)))
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function listenGrpc(server: GrpcServer, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port)
      else reject(listenError('listen.otlpGrpc', address, /EADDRINUSE/.test(error.message) ? 'EADDRINUSE' : error.message))
    })
  })
}

/** `key` is the configuration's name of the listener. */
export function listenError(key: string, address: string, code: string): ListenError {
  const reason = code === 'EADDRINUSE' ? 'another program has this port' : code === 'EACCES' ? 'this port is not allowed' : code
  const variable = `LONGPOLE_${key
    .replaceAll('.', '_')
    .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`
  return new ListenError(`${address} cannot be listened on: ${reason}. Set ${key} (or ${variable}) to another HOST:PORT.`)
}

/** `[::1]:4318` → `::1`, 4318. */
export function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(at + 1)) }
}

async function close(http: HttpServer, grpc: GrpcServer): Promise<void> {
  await Promise.all([
    new Promise<void>((resolve) => {
      http.close(() => resolve())
      http.closeIdleConnections()
    }),
    new Promise<void>((resolve) => grpc.tryShutdown(() => resolve())),
  ])
}
