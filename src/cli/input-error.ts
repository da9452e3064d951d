// Bad input from a person at the command line: names what was wrong and ends the process with status 2.

export class InputError extends Error {
  override readonly name = 'InputError'
  readonly exitStatus: number

  /** `exitStatus` 2: bad input; 3: too few rows (`longpole why`). */
  constructor(message: string, exitStatus = 2) {
    super(message)
    this.exitStatus = exitStatus
  }
}
