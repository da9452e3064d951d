// Fetches the list once a second and puts it in place. Says so when the hub does not answer, and goes on trying.
const live = document.getElementById('live')
const status = document.getElementById('status')

async function refresh() {
  if (document.hidden) return
  try {
    const response = await fetch('live.html', { headers: { accept: 'text/html' } })
    if (!response.ok) throw new Error(`status ${response.status}`)
    // Written by our own server, every value in it escaped there.
    live.innerHTML = await response.text()
    status.textContent = ''
  } catch (error) {
    status.textContent = `The hub does not answer (${error.message}). Trying again.`
  }
}

setInterval(refresh, 1000)
document.addEventListener('visibilitychange', refresh)
