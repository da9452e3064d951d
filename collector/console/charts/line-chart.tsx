// Lines over time with uPlot, with marks for onsets and changes; redraws on size and theme.
import { type ReactNode, useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { duration } from '../format.ts'

export interface Line {
  name: string
  values: (number | null)[]
  colour: string
}

export interface Mark {
  /** Unix seconds. */
  at: number
  label: string
  kind: 'onset' | 'change'
}

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

function drawMarks(marks: readonly Mark[]) {
  return (plot: uPlot): void => {
    const { ctx, bbox } = plot
    for (const mark of marks) {
      const x = plot.valToPos(mark.at, 'x', true)
      if (x < bbox.left || x > bbox.left + bbox.width) continue
      ctx.save()
      ctx.strokeStyle = css(mark.kind === 'onset' ? '--bad' : '--purple')
      ctx.fillStyle = ctx.strokeStyle
      ctx.setLineDash([4, 4])
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
      ctx.font = `${11 * devicePixelRatio}px system-ui`
      ctx.fillText(mark.label.slice(0, 40), x + 4, bbox.top + 12 * devicePixelRatio)
      ctx.restore()
    }
  }
}

export function LineChart({
  times,
  lines,
  marks = [],
  height = 220,
  label,
}: {
  times: number[]
  lines: readonly Line[]
  marks?: readonly Mark[]
  height?: number
  label: string
}): ReactNode {
  const holder = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = holder.current
    if (element === null || times.length === 0) return
    const axis = { stroke: css('--muted'), grid: { stroke: css('--line') }, ticks: { stroke: css('--line') } }
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        cursor: { drag: { x: false, y: false } },
        axes: [axis, { ...axis, size: 70, values: (_plot, values) => values.map((value) => duration(value)) }],
        series: [
          {},
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
