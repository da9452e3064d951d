// A part that scrolls sideways by itself, so that the page never does; it is focusable, because a
// scrollable region has to be scrolled by keyboard too (WCAG 2.1.1).
import type { ReactNode } from 'react'

export function Scroll({ label, children }: { label: string; children: ReactNode }): ReactNode {
  return (
    <section className="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
