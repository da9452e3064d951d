// Entry of the console: mounts the page and keeps what is asked of the hub fresh.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { followLinks } from './router.ts'
import './styles.css'

const client = new QueryClient({
  defaultOptions: { queries: { retry: 1, retryDelay: 1_000, refetchOnWindowFocus: true, staleTime: 1_000 } },
})

document.addEventListener('click', followLinks)
createRoot(document.getElementById('root') as HTMLElement).render(
  <QueryClientProvider client={client}>
    <App />
  </QueryClientProvider>,
)
