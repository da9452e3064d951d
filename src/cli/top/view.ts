// The window over a frame that is longer than the screen, and what each key does to it.
import { clock } from '../../../collector/console/format.ts'
import { clip, justify, printable } from './cells.ts'
import { drawFrame, type FirstPage, type Frame, type Section } from './frame.ts'
import type { Paint } from './paint.ts'

export interface View {
  hub: string
  /** The last answer; null before the first one. */
  page: FirstPage | null
  readAtMs: number
  /** Why there is no newer answer. */
  trouble: string | null
  /** Line of the body that is at the top; kept within the body by whoever draws. */
  offset: number
  isPaused: boolean
  isHelp: boolean
}

export interface Size {
  columns: number
  rows: number
}

const ESCAPE = '\u001B'
const UP = `${ESCAPE}[A`
const DOWN = `${ESCAPE}[B`
const PAGE_UP = `${ESCAPE}[5~`
const PAGE_DOWN = `${ESCAPE}[6~`
const INTERRUPT = '\u0003'
/** An escape sequence is one key. */
const KEY = new RegExp(`${ESCAPE}\\[[0-9;]*[A-Za-z~]|[^]`, 'gu')

const HELP = [
  'q          end (also Ctrl-C)',
  'j k ↓ ↑    one line down, up',
  'space b    one screen down, up (also Page Down, Page Up)',
  'g G        to the top, to the end',
  'f m o c    to findings, models, requests in flight, changes',
  'p          pause and go on',
  'r          ask the hub now',
  '?          this list',
]
const FOOTER = 'q end  j/k scroll  f findings  m models  o in flight  c changes  p pause  ? keys'
const SECTION_KEYS: Record<string, Section> = { f: 'findings', m: 'models', o: 'open', c: 'changes' }
/** Lines above and below head and body. */
const FRAME_ROWS = 2
const MIN_BODY_ROWS = 1

/** Exactly as many lines as the screen has, none wider than it. */
export function composeLines(view: View, size: Size, paint: Paint): string[] {
  const { head, body } = frameOf(view, size, paint)
  const room = roomOf(head, size)
  view.offset = Math.max(0, Math.min(view.offset, body.length - room))
  const window = view.isHelp ? HELP.map((line) => clip(line, size.columns)) : body.slice(view.offset, view.offset + room)
  const lines = [titleLine(view, size.columns, paint), ...head, ...window.slice(0, room)].slice(0, Math.max(1, size.rows - 1))
  if (size.rows < FRAME_ROWS) return lines
  while (lines.length < size.rows - 1) lines.push('')
  const place = body.length > room ? `${view.offset + 1}–${Math.min(body.length, view.offset + room)} of ${body.length}  ` : ''
  return [...lines, paint.inverse(justify(place + FOOTER, size.columns))]
}

/** Changes the view; says what only the screen can do. */
export function pressKey(view: View, key: string, size: Size, paint: Paint): 'end' | 'read' | null {
  if (key === 'q' || key === INTERRUPT) return 'end'
  view.isHelp = key === '?' && !view.isHelp
  if (key === 'r') return 'read'
  if (key === 'p') view.isPaused = !view.isPaused
  const { head, body, begins } = frameOf(view, size, paint)
  const room = roomOf(head, size)
  const steps: Record<string, number> = { j: 1, [DOWN]: 1, k: -1, [UP]: -1, ' ': room, [PAGE_DOWN]: room, b: -room, [PAGE_UP]: -room }
  const section = SECTION_KEYS[key]
  if (key === 'g') view.offset = 0
  else if (key === 'G') view.offset = body.length
  else if (section !== undefined) view.offset = begins[section]
  else view.offset += steps[key] ?? 0
  view.offset = Math.max(0, Math.min(view.offset, body.length - room))
  return null
}

/** One key after the other, however many came at once. */
export function splitKeys(text: string): string[] {
  return text.match(KEY) ?? []
}

function frameOf({ page }: View, { columns, rows }: Size, paint: Paint): Frame {
  if (page === null) return { head: [], body: [], begins: { findings: 0, models: 0, open: 0, changes: 0 } }
  const frame = drawFrame(page, columns, paint)
  return { ...frame, head: frame.head.slice(0, Math.max(0, rows - FRAME_ROWS - MIN_BODY_ROWS)) }
}

function roomOf(head: readonly string[], { rows }: Size): number {
  return Math.max(MIN_BODY_ROWS, rows - head.length - FRAME_ROWS)
}

function titleLine({ hub, page, readAtMs, trouble, isPaused }: View, columns: number, paint: Paint): string {
  const at = page === null ? 'asking' : clock(readAtMs / 1e3)
  if (trouble !== null) {
    const shown = page === null ? 'trying again' : `showing ${at}, trying again`
    return paint.bad(clip(`longpole top  ${printable(trouble)}; ${shown}`, columns))
  }
  return paint.dim(clip(`longpole top  ${printable(hub)}  ${isPaused ? `paused at ${at}` : at}`, columns))
}
