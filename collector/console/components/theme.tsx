// Dark, light, or as the system has it; remembered in this browser.
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react'

const THEMES = ['system', 'dark', 'light'] as const
type Theme = (typeof THEMES)[number]
const SIGNS: Record<Theme, string> = { system: '◐', dark: '●', light: '○' }

function stored(): Theme {
  try {
    const value = localStorage.getItem('longpole.theme')
    return THEMES.find((theme) => theme === value) ?? 'system'
  } catch {
    return 'system'
  }
}

/** The colours in force, `dark` or `light`: for what is drawn on a canvas and does not follow the sheet by itself. */
export function useColourScheme(): 'dark' | 'light' {
  return useSyncExternalStore(watchColourScheme, () => {
    const chosen = document.documentElement.dataset.theme
    return chosen === 'dark' || chosen === 'light' ? chosen : SYSTEM_DARK.matches ? 'dark' : 'light'
  })
}

const SYSTEM_DARK = matchMedia('(prefers-color-scheme: dark)')

function watchColourScheme(changed: () => void): () => void {
  const chosen = new MutationObserver(changed)
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  SYSTEM_DARK.addEventListener('change', changed)
  return () => {
    chosen.disconnect()
    SYSTEM_DARK.removeEventListener('change', changed)
  }
}

export function ThemeButton(): ReactNode {
  const [theme, setTheme] = useState<Theme>(stored)
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    try {
      localStorage.setItem('longpole.theme', theme)
    } catch {
      // A browser without storage keeps the choice for this page only.
    }
  }, [theme])
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme
  return (
    <button
      type="button"
      className="quiet"
      onClick={() => setTheme(next)}
      title={`Theme: ${theme}`}
      aria-label={`Theme ${theme}; change to ${next}`}
    >
      {SIGNS[theme]}
    </button>
  )
}
