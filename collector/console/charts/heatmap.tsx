// Latency × time as a canvas: brush a rectangle to select requests. The keyboard way is the form beside it.
import type { ApiHeatmap } from '@longpole/model/api'
import { type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { clock, duration } from '../format.ts'

export interface Selection {
  /** Unix seconds. */
  from: number
  to: number
  /** Seconds of latency. */
  low: number
  high: number
}

/** Perceptually even from the background to bright, readable without red and green (a cut of viridis). */
function colour(share: number): string {
  const stops = [
    [68, 1, 84],
    [59, 82, 139],
    [33, 145, 140],
    [94, 201, 98],
    [253, 231, 37],
  ] as const
  const place = Math.min(0.9999, share) * (stops.length - 1)
  const low = stops[Math.floor(place)] as readonly [number, number, number]
  const high = stops[Math.floor(place) + 1] as readonly [number, number, number]
  const mix = place % 1
  return `rgb(${low.map((value, index) => Math.round(value + ((high[index] as number) - value) * mix)).join(',')})`
}

export function Heatmap({
  data,
  selected,
  select,
  height = 260,
}: {
  data: ApiHeatmap
  selected: Selection | null
  select: (selection: Selection | null) => void
  height?: number
}): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [drag, setDrag] = useState<{ x0: number; y0: number; x1: number; y1: number } | null>(null)
  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (element === null || !context) return
    const columns = Math.max(1, data.times.length)
    const rows = Math.max(1, data.bounds.length)
    element.width = columns
    element.height = rows
    context.clearRect(0, 0, columns, rows)
    const highest = Math.max(1, ...data.counts.flat())
    for (const [x, column] of data.counts.entries()) {
      for (const [y, value] of column.entries()) {
        if (value === 0) continue
        context.fillStyle = colour(Math.sqrt(value / highest))
        context.fillRect(x, rows - 1 - y, 1, 1)
      }
    }
  }, [data])

  const first = data.times[0] ?? 0
  const span = data.times.length * data.step_seconds
  const at = (event: PointerEvent<HTMLElement>): [number, number] => {
    const box = event.currentTarget.getBoundingClientRect()
    return [
      Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)),
      Math.min(1, Math.max(0, (event.clientY - box.top) / box.height)),
    ]
  }
  const bound = (fromTop: number, up: boolean): number => {
    const index = Math.floor((1 - fromTop) * data.bounds.length) + (up ? 0 : -1)
    return index < 0 ? 0 : (data.bounds[Math.min(index, data.bounds.length - 1)] as number)
  }
  const finish = (): void => {
    if (drag === null) return
    const [x0, x1] = [Math.min(drag.x0, drag.x1), Math.max(drag.x0, drag.x1)]
    const [y0, y1] = [Math.min(drag.y0, drag.y1), Math.max(drag.y0, drag.y1)]
    setDrag(null)
    if (x1 - x0 < 0.01) {
      select(null)
      return
    }
    select({ from: Math.round(first + x0 * span), to: Math.round(first + x1 * span), low: bound(y1, false), high: bound(y0, true) })
  }
  const box =
    drag ??
    (selected === null || span === 0 ? null : { x0: (selected.from - first) / span, x1: (selected.to - first) / span, y0: 0, y1: 1 })
  return (
    <div className="heatmap" style={{ height }}>
      <div className="axis-y" aria-hidden="true">
        <span>{duration(data.bounds.at(-1))}</span>
        <span>{duration(data.bounds[Math.floor(data.bounds.length / 2)])}</span>
        <span>{duration(data.bounds[0])}</span>
      </div>
      <div
        className="plot"
        role="img"
        aria-label={`Requests by ${data.column} and time. Choose a window in the form below, or drag a rectangle.`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          const [x, y] = at(event)
          setDrag({ x0: x, y0: y, x1: x, y1: y })
        }}
        onPointerMove={(event) => {
          if (drag === null) return
          const [x, y] = at(event)
          setDrag({ ...drag, x1: x, y1: y })
        }}
        onPointerUp={finish}
      >
        <canvas ref={canvas} />
        {box !== null && (
          <span
            className="brush"
            style={{
              left: `${Math.min(box.x0, box.x1) * 100}%`,
              width: `${Math.abs(box.x1 - box.x0) * 100}%`,
              top: `${Math.min(box.y0, box.y1) * 100}%`,
              height: `${Math.abs(box.y1 - box.y0) * 100}%`,
            }}
          />
        )}
      </div>
      <div className="axis-x" aria-hidden="true">
        <span>{clock(first, false)}</span>
        <span>{clock(first + span / 2, false)}</span>
        <span>{clock(first + span, false)}</span>
      </div>
    </div>
  )
}
