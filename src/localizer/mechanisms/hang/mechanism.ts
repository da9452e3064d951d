// Requests are accepted and never end: open rows pile up while nothing fails. Their age is a lower bound, so it is seen while it lasts.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const hang: MechanismTest = {
  id: 'hang',
  signals: ['outcome', 'running'],
  confusedWith: ['demand_saturation', 'crash_loop'],
  test(signals) {
    const open = signals.outcomes('open', 'timeout')
    if (open === null || open.now < 0.15 || open.now < 3 * open.before) return null
    const failed = signals.outcomes('error')
    return evidence(
      0.6 + open.now * 0.6,
      [`${percent(open.now)} of the requests have not ended (${percent(open.before)} before)`],
      [failed !== null && failed.now > 0.2 && `${percent(failed.now)} fail`],
      signals.given.question.samples.length === 0 ? ['engine samples: a hung engine still reports running requests'] : [],
    )
  },
}
