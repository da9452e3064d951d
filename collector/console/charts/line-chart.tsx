// Lines over time with uPlot, with marks for onsets and changes; redraws on size and theme.
import { type ReactNode, useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useColourScheme } from '../components/theme.tsx'
import { clock, duration } from '../format.ts'
import { type Mark, placeMarks } from './marks.ts'

export interface Line {
  name: string
  values: (number | null)[]
  colour: string
}

/** A colour of the sheet as a canvas takes it. The variable itself holds both themes, so an element has to wear it to know which. */
function colourOf(name: string, element: HTMLElement): string {
  element.style.color = `var(${name})`
  const { color } = getComputedStyle(element)
  element.style.color = ''
  return color
}

function drawMarks(marks: readonly Mark[]) {
  return (plot: uPlot): void => {
    const { ctx, bbox } = plot
    const colours = { onset: colourOf('--bad', plot.root), change: colourOf('--purple', plot.root), ground: colourOf('--back', plot.root) }
    ctx.save()
    ctx.font = `${11 * devicePixelRatio}px system-ui`
    ctx.setLineDash([4, 4])
    const placed = placeMarks(marks, {
      left: bbox.left,
      right: bbox.left + bbox.width,
      placeOf: (at) => plot.valToPos(at, 'x', true),
      widthOf: (label) => ctx.measureText(label).width,
    })
    for (const { x, kind } of placed) {
      ctx.strokeStyle = colours[kind]
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
    }
    // Words last, on the page's own ground: over lines they cannot be read.
    ctx.textAlign = 'left'
    for (const { x, kind, label, row, side } of placed) {
      if (row === null) continue
      const width = ctx.measureText(label).width
      const left = side === 'left' ? x - 4 - width : x + 4
      const baseline = bbox.top + (12 + 14 * row) * devicePixelRatio
      ctx.fillStyle = colours.ground
      ctx.fillRect(left - 2, baseline - 11 * devicePixelRatio, width + 4, 14 * devicePixelRatio)
      ctx.fillStyle = colours[kind]
      ctx.fillText(label, left, baseline)
    }
    ctx.restore()
  }
}

/** Ticks in the same 24 hours as every other instant of the page, with seconds only where they differ in them. */
function clocks(ticks: readonly number[]): string[] {
  const hasSeconds = (ticks[1] ?? 0) - (ticks[0] ?? 0) < 60
  return ticks.map((tick) => clock(tick, hasSeconds))
}

const NO_MARKS: readonly Mark[] = []

interface LineChartSettings {
  times: number[]
  lines: readonly Line[]
  marks?: readonly Mark[]
  height?: number
  label: string
}

/** Drawn anew with another colour scheme: a canvas keeps the colours it was drawn with. */
export function LineChart(settings: LineChartSettings): ReactNode {
  return <Drawing key={useColourScheme()} {...settings} />
}

function Drawing({ times, lines, marks = NO_MARKS, height = 220, label }: LineChartSettings): ReactNode {
  const holder = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = holder.current
    if (element === null || times.length === 0) return
    const line = colourOf('--line', element)
    const axis = { stroke: colourOf('--muted', element), grid: { stroke: line }, ticks: { stroke: line } }
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        cursor: { drag: { x: false, y: false } },
        axes: [
          { ...axis, values: (_plot, ticks) => clocks(ticks) },
          { ...axis, size: 70, values: (_plot, values) => values.map((value) => duration(value)) },
        ],
        series: [
          { label: 'Time', value: (_plot: uPlot, at: number | null) => (at === null ? '–' : clock(at)) },
          ...lines.map((line) => ({
            label: line.name,
            stroke: line.colour,
            width: 2,
            spanGaps: false,
            value: (_plot: uPlot, value: number | null) => duration(value),
          })),
        ],
        hooks: { draw: [drawMarks(marks)] },
      },
      [times, ...lines.map((line) => line.values)] as uPlot.AlignedData,
      element,
    )
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [times, lines, marks, height])
  return <div ref={holder} className="chart" style={{ minHeight: height + 40 }} role="img" aria-label={label} />
}
