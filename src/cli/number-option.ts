// Numbers from the command line: checked where they come in, refused with the option, what was expected and what came.
import { InputError } from './input-error.ts'

/** Throws InputError beyond the bounds, which are allowed themselves. */
export function numberBetween(option: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (text.trim() === '' || !(number >= least && number <= most)) {
    throw new InputError(`${option}: expected a number from ${least} to ${most}, got ${text}`)
  }
  return number
}

/** Throws InputError. */
export function secondsAbove0(option: string, text: string): number {
  const seconds = Number(text)
  if (!(seconds > 0)) throw new InputError(`${option}: expected a number of seconds above 0, got ${text}`)
  return seconds
}
