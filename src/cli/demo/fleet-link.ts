// The parent's end of the fleet process: starts it and passes wishes on.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { FleetSettings, FromFleet, ToFleet } from './messages.ts'

export interface FleetListener {
  onLive(replicas: number): void
  onSockets(count: number): void
  onInjected(fault: Extract<FromFleet, { type: 'injected' }>): void
  onHealed(): void
  onRefused(message: string): void
  onTrouble(message: string): void
  /** It ended though nobody stopped it. */
  onLost(code: number | null): void
}

export interface FleetLink {
  inject(flag: '--fault' | '--shift', text: string): void
  heal(): void
  stop(): Promise<void>
}

const PROGRAM = fileURLToPath(new URL('./fleet-process.ts', import.meta.url))
const STOP_MS = 3_000

export function startFleet(settings: FleetSettings, listener: FleetListener): FleetLink {
  const child = fork(PROGRAM, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const send = (message: ToFleet) => {
    if (child.connected) child.send(message)
  }
  let stopping = false
  child.on('message', receive)
  child.on('exit', (code) => {
    if (!stopping) listener.onLost(code)
  })

  function receive(message: FromFleet): void {
    switch (message.type) {
      case 'live':
        listener.onLive(message.replicas)
        break
      case 'sockets':
        listener.onSockets(message.count)
        break
      case 'injected':
        listener.onInjected(message)
        break
      case 'healed':
        listener.onHealed()
        break
      case 'refused':
        listener.onRefused(message.message)
        break
      case 'trouble':
        listener.onTrouble(message.message)
    }
  }

  send({ type: 'start', settings })
  return {
    inject: (flag, text) => send({ type: 'inject', flag, text }),
    heal: () => send({ type: 'heal' }),
    async stop() {
      stopping = true
      send({ type: 'stop' })
      await exited(child)
    },
  }
}

/** It gets a moment to send what it has, then it is ended. */
function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
