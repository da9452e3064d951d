// The shifts that are not faults that the simulator knows. Adding one is a folder and a line here.
import type { FaultDefinition } from '../faults/fault.ts'
import { burst } from './burst/shift.ts'
import { dailyPeak } from './daily-peak/shift.ts'
import { longerPrompts } from './longer-prompts/shift.ts'
import { longerReasoning } from './longer-reasoning/shift.ts'
import { outputFormat } from './output-format/shift.ts'
import { scaleDown } from './scale-down/shift.ts'
import { tenantMix } from './tenant-mix/shift.ts'

export const SHIFTS: readonly FaultDefinition[] = [longerReasoning, longerPrompts, tenantMix, dailyPeak, burst, outputFormat, scaleDown]
