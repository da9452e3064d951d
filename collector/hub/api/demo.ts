// Only in the demo: which fault is injected into the simulated fleet, and the page's button that injects or heals one.
import { Router } from 'express'
import { z } from 'zod'
import { readBody } from './body.ts'
import type { ApiContext } from './context.ts'
import { badInput } from './problem.ts'

/** What the demo lets the page do. */
export interface DemoControl {
  faults: readonly { id: string; title: string }[]
  /** Id of the fault that is on, or null. */
  current(): string | null
  /** Injects the fault, or heals what is on. */
  inject(fault: string | null): Promise<void>
}

const faultBody = z.strictObject({ fault: z.string().max(64).nullable() })

export function createDemoRoutes({ demo }: ApiContext): Router {
  const router = Router()
  if (demo === undefined) {
    // The page asks once whether this is the demo; no is an answer, not an error.
    router.get('/demo', (_request, response) => void response.json(null))
    return router
  }
  const state = () => {
    const fault = demo.current()
    return { fault, title: demo.faults.find(({ id }) => id === fault)?.title ?? '', faults: demo.faults }
  }

  router.get('/demo', (_request, response) => {
    response.json(state())
  })

  router.post('/demo/fault', async (request, response) => {
    const { fault } = readBody(request, faultBody)
    if (fault !== null && !demo.faults.some(({ id }) => id === fault)) {
      throw badInput('fault', demo.faults.map(({ id }) => id).join(', '), fault)
    }
    await demo.inject(fault)
    response.json(state())
  })
  return router
}
