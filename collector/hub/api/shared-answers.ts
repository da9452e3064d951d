// Answers that many ask for at once and that may be a second old: each question is under way once, and its answer is kept for a moment.
// However many pages are open, and however slow the store is, it is asked one at a time.
import type { Clock } from '@longpole/model/clock'

export interface SharedAnswerSettings {
  clock: Clock
  /** An answer is given again for so long after it came. */
  freshMs: number
  /** Different questions remembered at most. */
  maxQuestions: number
}

/** Returns `ask`: the answer to `question`, from `work` unless it is there already or under way. A failure is not kept. */
export function createSharedAnswers<Answer>({ clock, freshMs, maxQuestions }: SharedAnswerSettings) {
  const answers = new Map<string, { settledMs: number | null; answer: Promise<Answer> }>()

  return function ask(question: string, work: () => Promise<Answer>): Promise<Answer> {
    const known = answers.get(question)
    if (known !== undefined && (known.settledMs === null || clock.monotonicMs() - known.settledMs <= freshMs)) return known.answer
    answers.delete(question)
    const entry: { settledMs: number | null; answer: Promise<Answer> } = { settledMs: null, answer: work() }
    entry.answer.then(
      () => {
        entry.settledMs = clock.monotonicMs()
      },
      () => {
        if (answers.get(question) === entry) answers.delete(question)
      },
    )
    answers.set(question, entry)
    if (answers.size > maxQuestions) answers.delete(answers.keys().next().value as string)
    return entry.answer
  }
}
