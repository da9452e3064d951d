// A simulated engine on a real socket: HTTP and SSE as vLLM or SGLang speak them, /health, /v1/models, and the engine's own /metrics.

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { hashText, logNormal } from '../core/random.ts'
import { SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import type { ServedModel } from '../fleet/fleet.ts'
import type { Tenant } from '../workload/tenant.ts'
import type { World } from '../world.ts'
import { type EngineDialect, sglangDialect, vllmDialect } from './dialect.ts'
import { ExpositionPage } from './exposition.ts'
import { observeRequest, sglangValues, vllmValues } from './page-values.ts'
import { type ChatPrompt, PromptError, readPrompt } from './prompt.ts'
import { ResponseStream } from './response-stream.ts'

const BODY_LIMIT = 32_000_000
const CONTEXT_TOKENS = 131_072
/** Of answers that are not told their length. */
const ANSWER = { median: 120, sigma: 0.7 }
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/
const ROUTES: Record<string, boolean> = { '/v1/chat/completions': true, '/v1/completions': false }

export interface EngineServerOptions {
  world: World
  engine: Engine
  model: ServedModel
  /** Whom requests from sockets belong to. */
  tenant: Tenant
  /** Unix seconds now, for `created`. */
  unixSeconds(): number
  /** Brings the virtual clock up to the wall clock before anything is put on it. */
  catchUp(): number
}

export interface EngineServer {
  server: Server
  /** Counts a finished request in the page's histograms, whoever sent it. */
  observe(request: SimRequest): void
}

const PAGES = { vllm: 'vllm-0.32.0.prom', sglang: 'sglang-0.5.23.prom', dynamo: 'vllm-0.32.0.prom' } as const
let received = 0

export function createEngineServer(options: EngineServerOptions): EngineServer {
  const { engine, model } = options
  const dialect = model.kind === 'sglang' ? sglangDialect : vllmDialect
  const recorded = readFileSync(new URL(`../expositions/${PAGES[model.kind]}`, import.meta.url), 'utf8')
  const page = new ExpositionPage(recorded, model.name)
  const values = model.kind === 'sglang' ? sglangValues(engine) : vllmValues(engine)
  // The engine is older than its socket: its age is the same on the page as in its samples.
  const startedAt = options.unixSeconds() - (options.catchUp() - engine.startedAt)
  engine.everyStep = true
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] as string
    if (!engine.up) request.socket.destroy()
    else if (request.method === 'POST' && ROUTES[path] !== undefined) {
      answer(options, dialect, request, response, ROUTES[path]).catch(() => response.destroy())
    } else if (path === '/metrics') {
      options.catchUp()
      send(response, 200, page.render(values, startedAt), 'text/plain; version=0.0.4; charset=utf-8')
    } else if (path === '/health') send(response, 200, '', 'text/plain')
    else if (path === '/v1/models') send(response, 200, JSON.stringify(dialect.models(model.name, startedAt)), 'application/json')
    else send(response, 404, '{"detail":"Not Found"}', 'application/json')
  })
  // A first token may take as long as it takes.
  server.requestTimeout = 0
  server.keepAliveTimeout = 5_000
  return { server, observe: (request) => observeRequest(page, request) }
}

async function answer(
  options: EngineServerOptions,
  dialect: EngineDialect,
  incoming: IncomingMessage,
  response: ServerResponse,
  isChat: boolean,
): Promise<void> {
  const refuse = (status: number, type: string, message: string, param: string | null) =>
    send(response, status, JSON.stringify(dialect.error(status, type, message, param)), 'application/json')
  let prompt: ChatPrompt
  try {
    prompt = readPrompt(JSON.parse(await readBody(incoming)), isChat)
  } catch (error) {
    if (error instanceof PromptError) refuse(400, 'BadRequestError', error.message, error.param)
    else refuse(400, 'BadRequestError', `JSON decode error: ${(error as Error).message}`, null)
    return
  }
  const { model } = options
  if (dialect.checksModel && prompt.model !== model.name && !model.adapters.includes(prompt.model)) {
    refuse(404, 'NotFoundError', `The model \`${prompt.model}\` does not exist. Valid aliases: ${model.name}.`, 'model')
    return
  }
  if (prompt.promptTokens + prompt.maxTokens > CONTEXT_TOKENS) {
    const asked = `${prompt.promptTokens} input tokens and ${prompt.maxTokens} output tokens`
    refuse(
      400,
      'BadRequestError',
      `This model's maximum context length is ${CONTEXT_TOKENS} tokens, you asked for ${asked}.`,
      'input_tokens',
    )
    return
  }
  start(options, dialect, incoming, response, prompt, isChat)
}

function start(
  options: EngineServerOptions,
  dialect: EngineDialect,
  incoming: IncomingMessage,
  response: ServerResponse,
  prompt: ChatPrompt,
  isChat: boolean,
): void {
  const { world, engine, model, tenant } = options
  const number = received++
  const seed = hashText(world.seed ^ number, 'socket')
  const client = (tenant.clients[0] as Tenant['clients'][number]).client
  const request = new SimRequest(-1 - number, 2 ** 50 + number, seed, tenant, client, model)
  request.promptTokens = prompt.promptTokens
  request.blocks = prompt.blocks
  request.maxTokens = prompt.maxTokens
  const natural = Math.max(1, Math.round(logNormal(ANSWER.median, ANSWER.sigma, seed, 7)))
  request.outputTokens = prompt.ignoreEos ? prompt.maxTokens : Math.min(prompt.maxTokens, natural)
  request.route = isChat ? '/v1/chat/completions' : '/v1/completions'
  if (model.adapters.includes(prompt.model)) request.adapter = prompt.model
  const requestId = headerText(incoming, 'x-request-id') ?? randomUUID().replaceAll('-', '')
  const trace = TRACEPARENT.exec(headerText(incoming, 'traceparent') ?? '')
  request.external = {
    traceId: trace?.[1] ?? randomUUID().replaceAll('-', ''),
    parentSpanId: trace?.[2] ?? '',
    requestId,
  }
  const answerOf = {
    id: dialect.answerId(requestId, isChat),
    model: prompt.model,
    createdUnixSeconds: Math.floor(options.unixSeconds()),
    isChat,
  }
  request.stream = new ResponseStream({ response, dialect, answer: answerOf, prompt, requestId, seed, total: request.outputTokens })
  response.on('close', () => {
    if (!response.writableFinished) world.journey.leave(request, options.catchUp())
  })
  world.journey.receive(request, engine, options.catchUp())
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of incoming) {
    bytes += (part as Buffer).length
    if (bytes > BODY_LIMIT) throw new Error(`the body is longer than ${BODY_LIMIT} bytes`)
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts).toString('utf8')
}

function headerText(incoming: IncomingMessage, name: string): string | null {
  const value = incoming.headers[name]
  return typeof value === 'string' && value !== '' ? value : null
}

function send(response: ServerResponse, status: number, body: string, type: string): void {
  response.writeHead(status, { server: 'uvicorn', 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body)
}
