// `longpole top` on a terminal: the alternate screen, the hub asked again and again, keys and resizes, and the way back to what the
// terminal showed before. Streams are arguments, so that a test can be the terminal.
import type { FirstPage } from './frame.ts'
import type { Paint } from './paint.ts'
import { composeLines, pressKey, type Size, splitKeys, type View } from './view.ts'

export interface Terminal {
  input: NodeJS.ReadableStream & { setRawMode?: (raw: boolean) => unknown }
  output: NodeJS.WritableStream & { columns?: number; rows?: number }
}

export interface ScreenSettings {
  terminal: Terminal
  paint: Paint
  /** Where the answers come from, shown in the first line. */
  hub: string
  intervalMs: number
  /** Rejects with a sentence for a person where the hub does not answer. */
  read: () => Promise<FirstPage>
}

const ESCAPE = '\u001B'
/** Alternate screen without a cursor, and back (xterm's private modes 1049 and 25). */
const ENTER = `${ESCAPE}[?1049h${ESCAPE}[?25l`
const LEAVE = `${ESCAPE}[?25h${ESCAPE}[?1049l`
const HOME = `${ESCAPE}[H`
const CLEAR_LINE = `${ESCAPE}[K`
const CLEAR_BELOW = `${ESCAPE}[J`
const DEFAULT_SIZE = { columns: 80, rows: 24 }
const SIGNALS = ['SIGTERM', 'SIGHUP'] as const

/** Draws until a key, a signal or the end of the input ends it. */
export async function runScreen({ terminal: { input, output }, paint, hub, intervalMs, read }: ScreenSettings): Promise<void> {
  const view: View = { hub, page: null, readAtMs: 0, trouble: null, offset: 0, isPaused: false, isHelp: false }
  const ended = Promise.withResolvers<void>()
  let isReading = false

  const size = (): Size => ({ columns: output.columns || DEFAULT_SIZE.columns, rows: output.rows || DEFAULT_SIZE.rows })

  function draw(): void {
    const lines = composeLines(view, size(), paint)
    output.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`)
  }

  async function refresh(): Promise<void> {
    if (isReading) return
    isReading = true
    try {
      view.page = await read()
      view.readAtMs = Date.now()
      view.trouble = null
    } catch (error) {
      view.trouble = (error as Error).message
    }
    isReading = false
    draw()
  }

  function onData(data: Buffer | string): void {
    for (const key of splitKeys(data.toString())) {
      const wish = pressKey(view, key, size(), paint)
      if (wish === 'end') ended.resolve()
      else if (wish === 'read') void refresh()
    }
    draw()
  }

  const end = () => ended.resolve()
  input.setRawMode?.(true)
  input.on('data', onData).on('end', end)
  output.on('resize', draw)
  for (const signal of SIGNALS) process.once(signal, end)
  const timer = setInterval(() => {
    if (!view.isPaused) void refresh()
  }, intervalMs)
  output.write(ENTER)
  draw()
  void refresh()
  await ended.promise
  clearInterval(timer)
  for (const signal of SIGNALS) process.off(signal, end)
  output.off('resize', draw)
  input.off('data', onData).off('end', end)
  input.setRawMode?.(false)
  input.pause()
  // A last answer that comes after this must not be drawn over the shell.
  isReading = true
  output.write(LEAVE)
}
