// The demo's live fleet in a process of its own, so that a busy simulation never makes the page wait.
import { Fleet } from './live-fleet.ts'
import type { FromFleet, ToFleet } from './messages.ts'

const send = (message: FromFleet) => process.send?.(message)
let fleet: Fleet | null = null

process.on('message', (message: ToFleet) => {
  handle(message).catch((error: Error) => {
    send({ type: 'trouble', message: error.stack ?? error.message })
    process.exit(1)
  })
})
// The parent is gone: nobody is left to look.
process.on('disconnect', () => process.exit(0))

async function handle(message: ToFleet): Promise<void> {
  if (message.type === 'start') {
    fleet = new Fleet(message.settings, send)
    await fleet.goLive()
    return
  }
  if (fleet === null) return
  if (message.type === 'inject') fleet.inject(message.flag, message.text)
  else if (message.type === 'heal') fleet.heal()
  else if (message.type === 'stop') {
    await fleet.stop()
    process.exit(0)
  }
}
