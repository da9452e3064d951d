// What was worked out once from the baseline alone, by name: asked again with another incident, it is there.
export class Memory {
  private readonly known = new Map<string, unknown>()

  /** The same name must always mean the same type. */
  once<T>(name: string, make: () => T): T {
    if (!this.known.has(name)) this.known.set(name, make())
    return this.known.get(name) as T
  }
}
