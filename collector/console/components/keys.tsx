// Keyboard: letters go to pages, ? lists them, Escape closes.
import { type ReactNode, useEffect, useRef } from 'react'
import { go, href } from '../router.ts'

interface PageKey {
  path: string
  title: string
  key: string
}

export function useKeys(pages: readonly PageKey[], help: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return
      if (event.key === '?') help()
      const page = pages.find((entry) => entry.key === event.key)
      if (page !== undefined) go(href(page.path))
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [pages, help])
}

export function KeyHelp({ pages, close }: { pages: readonly PageKey[]; close: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} onClose={close} aria-label="Keys">
      <h2>Keys</h2>
      <dl className="keys">
        {pages.map((page) => (
          <div key={page.key}>
            <dt>
              <kbd>{page.key}</kbd>
            </dt>
            <dd>{page.title}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>This list</dd>
        </div>
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  )
}
