// What the boards need of phases beyond their colours, which live in the conventions.
import { PHASES } from '@longpole/model/phase'

/** Regular expression of the phases on the way to the first token. */
export const FIRST_TOKEN_PHASES = PHASES.filter((phase) => phase.beforeFirstToken)
  .map((phase) => phase.id.replaceAll('.', '\\\\.'))
  .join('|')
