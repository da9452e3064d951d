// Sends OTLP bodies to the demo's hub: a short queue, one retry after a refusal, and a word when something is lost.

const MAX_WAITING = 200

export interface OtlpClient {
  traces(body: Uint8Array): void
  logs(body: object): void
  metrics(body: object): void
  /** Resolves when everything is sent or lost. */
  flush(): Promise<void>
}

export function createOtlpClient(base: string, onTrouble: (message: string) => void): OtlpClient {
  const underWay = new Set<Promise<void>>()

  function send(path: string, body: Uint8Array | string, type: string): void {
    if (underWay.size >= MAX_WAITING) {
      onTrouble('the hub does not keep up; telemetry of the simulated fleet is dropped')
      return
    }
    const sending = post(path, body, type).finally(() => underWay.delete(sending))
    underWay.add(sending)
  }

  async function post(path: string, body: Uint8Array | string, type: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await fetch(`${base}${path}`, { method: 'POST', headers: { 'content-type': type }, body: body as string })
        await response.arrayBuffer()
        if (response.ok) return
        if (response.status !== 503 || attempt >= 5) {
          onTrouble(`the hub answered ${response.status} to ${path}`)
          return
        }
      } catch (error) {
        if (attempt >= 5) {
          onTrouble(`the hub does not answer: ${(error as Error).message}`)
          return
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 500 * (attempt + 1)))
    }
  }

  return {
    traces: (body) => send('/v1/traces', body, 'application/x-protobuf'),
    logs: (body) => send('/v1/logs', JSON.stringify(body), 'application/json'),
    metrics: (body) => send('/v1/metrics', JSON.stringify(body), 'application/json'),
    async flush() {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
