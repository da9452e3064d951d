// The client's side of the network and the gateway in front of the routers.
import { hash, logNormal, uniform } from '../core/random.ts'
import { PHASE, type SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import { roundTripSeconds } from '../fleet/distances.ts'
import type { Fleet, NetworkPath } from '../fleet/fleet.ts'
import { emitSeconds, streamLagSeconds } from './costs.ts'

/** Share of requests that open a new connection in a healthy fleet. */
const COLD_CONNECTIONS = 0.012
const UPLOAD_BYTES_PER_SECOND = 12.5e6
const BYTES_PER_TOKEN = 4.2
/** First retransmission time-out of TCP above the round trip. */
const RETRANSMIT_SECONDS = 0.2

/** Books everything between the click and the router's decision; returns its seconds. */
export function bookArrival(request: SimRequest, fleet: Fleet, region: string): number {
  const { seed, attempts } = request
  const path = pathOf(fleet, request)
  const rtt = roundTrip(request, path, region)
  const connect = connectSeconds(request, path, rtt)
  const lost = uniform(seed, 12, attempts) < path.loss.value * 2 ? RETRANSMIT_SECONDS + rtt : 0
  const upload =
    (rtt / 2) * logNormal(1, 0.05, seed, 13, attempts) + (request.promptTokens * BYTES_PER_TOKEN) / UPLOAD_BYTES_PER_SECOND + lost
  const queue = -Math.log(uniform(seed, 14, attempts)) * 0.0004 + (request.gateway?.queueDelay.value ?? 0)
  const route = logNormal(0.0018, 0.35, seed, 15, attempts) * (request.gateway?.routeScale.value ?? 1)
  request.spend(PHASE['client.connect'], connect)
  request.spend(PHASE['client.upload'], upload)
  request.spend(PHASE['gateway.queue'], queue)
  request.spend(PHASE['gateway.route'], route)
  const { last } = request
  last.connect = connect
  last.upload = upload
  last.gatewayQueue = queue
  last.gatewayRoute = route
  request.rtt = rtt
  request.lossRate = path.loss.value
  return connect + upload + queue + route
}

/** Books the way of the first token back to the client. */
export function bookReturn(request: SimRequest, engine: Engine): void {
  const { seed } = request
  const lost = uniform(seed, 16) < request.lossRate ? RETRANSMIT_SECONDS + request.rtt : 0
  request.spend(PHASE['engine.emit'], emitSeconds(engine, request))
  request.spend(PHASE['stream.network'], (request.rtt / 2) * logNormal(1, 0.06, seed, 17) + lost)
  const skew = engine.clockSkew.value
  if (skew !== 0) misread(request, skew)
}

/** A server's clock that runs ahead makes the upload look longer and the way back shorter; their sum stays exact. */
function misread(request: SimRequest, skew: number): void {
  const upload = PHASE['client.upload']
  const back = PHASE['stream.network']
  const moved = Math.max(-(request.phases[upload] as number), Math.min(skew, request.phases[back] as number))
  request.phases[upload] = (request.phases[upload] as number) + moved
  request.phases[back] = (request.phases[back] as number) - moved
}

/** Books what the end of the stream adds beyond the return path of the first token, and the longest gap the client saw. */
export function bookDrain(request: SimRequest, engine: Engine): void {
  const { seed } = request
  const chunks = chunksOf(request)
  const decode = request.phases[PHASE['engine.decode']] as number
  const lag = streamLagSeconds(engine, chunks > 1 ? decode / (chunks - 1) : 1, chunks)
  const jitter = logNormal(0.0006, 0.6, seed, 18)
  const losses = countLosses(request, chunks)
  const lastLost = losses > 0 && uniform(seed, 19) < 0.15 ? RETRANSMIT_SECONDS + request.rtt : 0
  request.spend(PHASE['stream.drain'], lag + jitter + lastLost)
  if (losses > 0) request.longestGap = Math.max(request.longestGap, RETRANSMIT_SECONDS + request.rtt)
  request.spend(PHASE.unattributed, logNormal(0.0003, 0.5, seed, 20))
}

/** One chunk a step: with speculation a chunk holds several tokens. */
export function chunksOf(request: SimRequest): number {
  return 1 + Math.ceil(Math.max(0, request.outputTokens - 1) / Math.max(1, request.tokensPerStep))
}

function countLosses(request: SimRequest, chunks: number): number {
  const expected = request.lossRate * chunks
  return expected > 0 && uniform(request.seed, 11) < 1 - Math.exp(-expected) ? Math.max(1, Math.round(expected)) : 0
}

function pathOf(fleet: Fleet, request: SimRequest): NetworkPath {
  const exact = fleet.paths.get(`${request.client.region}\n${request.client.sdk}\n${request.client.sdkVersion}`)
  return exact ?? (fleet.paths.get(request.client.region) as NetworkPath)
}

function roundTrip(request: SimRequest, path: NetworkPath, region: string): number {
  const usual = roundTripSeconds(region, request.client.region)
  return usual * logNormal(1, 0.04, request.seed, 10) + path.extraRtt.value
}

function connectSeconds(request: SimRequest, path: NetworkPath, rtt: number): number {
  const { seed, attempts } = request
  if (uniform(seed, 8, attempts) >= COLD_CONNECTIONS + path.coldShare.value) return 0
  const dns = logNormal(0.004, 0.8, seed, 9, attempts) + path.dnsSeconds.value
  // TCP one round trip, TLS 1.3 another; half of the older clients need a second one for TLS 1.2.
  const handshakes = hash(seed, 7) % 10 === 0 ? 3 : 2
  return dns + handshakes * rtt + 0.002
}
