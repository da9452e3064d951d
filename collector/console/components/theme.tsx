// Dark, light, or as the system has it; remembered in this browser.
import { type ReactNode, useEffect, useState } from 'react'

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
