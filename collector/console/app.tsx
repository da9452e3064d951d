// The frame: navigation, connection state, keyboard, and the page of the present place.
import { type ReactNode, useState } from 'react'
import { useSummary } from './api/queries.ts'
import { Connection } from './components/connection.tsx'
import { KeyHelp, useKeys } from './components/keys.tsx'
import { ThemeButton } from './components/theme.tsx'
import { AlertsPage } from './pages/alerts.tsx'
import { ExplorePage } from './pages/explore.tsx'
import { FleetPage } from './pages/fleet.tsx'
import { NowPage } from './pages/now.tsx'
import { RequestPage } from './pages/request.tsx'
import { RequestsPage } from './pages/requests.tsx'
import { WhyPage } from './pages/why.tsx'
import { href, usePlace } from './router.ts'

export const PAGES = [
  { path: '/', title: 'Now', key: 'n' },
  { path: '/explore', title: 'Explore', key: 'e' },
  { path: '/requests', title: 'Requests', key: 'r' },
  { path: '/fleet', title: 'Fleet', key: 'f' },
  { path: '/alerts', title: 'Findings', key: 'a' },
] as const

function pageOf(segments: string[]): ReactNode {
  const [first, second] = segments
  if (first === undefined) return <NowPage />
  if (first === 'why' && second !== undefined) return <WhyPage id={second} />
  if (first === 'explore') return <ExplorePage />
  if (first === 'requests') return second === undefined ? <RequestsPage /> : <RequestPage id={second} />
  if (first === 'fleet') return <FleetPage />
  if (first === 'alerts') return <AlertsPage />
  return (
    <section className="empty">
      <h1>No such page</h1>
      <p>
        There is nothing at this address. <a href={href('/')}>Go to the first page</a>.
      </p>
    </section>
  )
}

export function App(): ReactNode {
  const { segments } = usePlace()
  const summary = useSummary()
  const [help, setHelp] = useState(false)
  useKeys(PAGES, () => setHelp((shown) => !shown))
  const here = `/${segments[0] ?? ''}`
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="bar">
        <a className="brand" href={href('/')}>
          <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
            <rect x="4" y="18" width="6" height="10" fill="var(--blue)" />
            <rect x="13" y="4" width="6" height="24" fill="var(--orange)" />
            <rect x="22" y="14" width="6" height="14" fill="var(--blue)" />
          </svg>
          Longpole
        </a>
        <nav aria-label="Pages">
          {PAGES.map((page) => (
            <a
              key={page.path}
              href={href(page.path)}
              aria-current={here === page.path || (page.path === '/alerts' && here === '/why') ? 'page' : undefined}
            >
              {page.title}
            </a>
          ))}
        </nav>
        <span className="grow" />
        <Connection asking={summary} />
        <ThemeButton />
        <button type="button" className="quiet" onClick={() => setHelp(true)} title="Keys (?)" aria-label="Show keys">
          ?
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        {pageOf(segments)}
      </main>
      {help && <KeyHelp pages={PAGES} close={() => setHelp(false)} />}
    </>
  )
}
