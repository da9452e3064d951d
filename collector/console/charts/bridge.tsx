// The change from before to after as a bridge: what the workload did, then phase by phase. Shares, because a quantile has no additive seconds.
import type { Finding } from '@longpole/model/finding'
import type { ReactNode } from 'react'
import { phaseColour } from '../components/phases.tsx'
import { Scroll } from '../components/scroll.tsx'
import { percent } from '../format.ts'
import { phaseTitle } from '../sentences.ts'

export function Bridge({ finding }: { finding: Finding }): ReactNode {
  const explained = finding.share_explained?.value ?? null
  const steps = finding.phases.filter((phase) => Math.abs(phase.share) >= 0.01)
  if (steps.length === 0) return <p className="muted">No phase columns were compared.</p>
  const widest = Math.max(1, ...steps.map((step) => step.high))
  return (
    <Scroll label="Share of each phase">
      <table className="bridge">
        <thead>
          <tr>
            <th scope="col">Phase</th>
            <th scope="col" className="wide">
              Share of the change, with its interval
            </th>
            <th scope="col" className="number">
              Share
            </th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <tr key={step.phase}>
              <th scope="row">{phaseTitle(step.phase)}</th>
              <td className="wide">
                <span className="lane">
                  <span style={{ width: `${Math.max(0, (step.share / widest) * 100)}%`, background: phaseColour(step.phase) }} />
                  <span
                    className="whisker"
                    style={{
                      left: `${Math.max(0, (step.low / widest) * 100)}%`,
                      width: `${Math.max(0.3, ((step.high - Math.max(0, step.low)) / widest) * 100)}%`,
                    }}
                  />
                </span>
              </td>
              <td className="number">
                {percent(step.share)}{' '}
                <span className="muted">
                  ({percent(step.low)} … {percent(step.high)})
                </span>
              </td>
            </tr>
          ))}
        </tbody>
        {explained !== null && (
          <tfoot>
            <tr>
              <th scope="row">This slice explains</th>
              <td className="wide" />
              <td className="number">{percent(explained)} of the regression</td>
            </tr>
          </tfoot>
        )}
      </table>
    </Scroll>
  )
}
