// Answers that many ask for at once and that may be some seconds old: each question is under way once, and its answer is kept for a
// moment. However many pages are open, and however slow the store is, it is asked one at a time, and who asks again need not wait for it.
import type { Clock } from '@longpole/model/clock'

export interface SharedAnswerSettings {
  clock: Clock
  /** An answer is given again for so long after it came. */
  freshMs: number
  /** And for so much longer while the question is asked anew behind it. */
  staleMs?: number
  /** Different questions remembered at most. */
  maxQuestions: number
}

interface Entry<Answer> {
  answer: Promise<Answer>
  /** Monotonic ms; null while it is under way. */
  settledMs: number | null
  isRenewed: boolean
}

/** Returns `ask`: the answer to `question`, from `work` unless it is there already or under way. A failure is not kept. */
export function createSharedAnswers<Answer>({ clock, freshMs, staleMs = 0, maxQuestions }: SharedAnswerSettings) {
  const entries = new Map<string, Entry<Answer>>()

  function keep(question: string, entry: Entry<Answer>): void {
    entries.delete(question)
    entries.set(question, entry)
    if (entries.size > maxQuestions) entries.delete(entries.keys().next().value as string)
  }

  function begin(question: string, work: () => Promise<Answer>): Promise<Answer> {
    const entry: Entry<Answer> = { answer: work(), settledMs: null, isRenewed: false }
    keep(question, entry)
    entry.answer.then(
      () => {
        entry.settledMs = clock.monotonicMs()
      },
      () => {
        if (entries.get(question) === entry) entries.delete(question)
      },
    )
    return entry.answer
  }

  /** The old answer stays until the new one is there; where that fails, whoever asks next tries again. */
  function renew(question: string, old: Entry<Answer>, work: () => Promise<Answer>): void {
    if (old.isRenewed) return
    old.isRenewed = true
    const answer = work()
    answer.then(
      () => {
        if (entries.get(question) === old) keep(question, { answer, settledMs: clock.monotonicMs(), isRenewed: false })
      },
      () => {
        old.isRenewed = false
      },
    )
  }

  return function ask(question: string, work: () => Promise<Answer>): Promise<Answer> {
    const known = entries.get(question)
    if (known === undefined) return begin(question, work)
    if (known.settledMs === null) return known.answer
    const ageMs = clock.monotonicMs() - known.settledMs
    if (ageMs <= freshMs) return known.answer
    if (ageMs > freshMs + staleMs) return begin(question, work)
    renew(question, known, work)
    return known.answer
  }
}
