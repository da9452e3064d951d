// Single keys in the demo's terminal: f makes the fleet ill or heals it, q ends.

export interface Keys {
  toggle(): void
  quit(): void
}

/** Returns a function that gives the terminal back. Does nothing where there is no terminal. */
export function listenToKeys(keys: Keys): () => void {
  const { stdin } = process
  if (!stdin.isTTY) return () => {}
  const onData = (data: Buffer) => {
    const key = data.toString()
    if (key === 'q' || key === '\u0003') keys.quit()
    else if (key === 'f' || key === 'h') keys.toggle()
  }
  stdin.setRawMode(true)
  stdin.on('data', onData)
  return () => {
    stdin.off('data', onData)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
