import type { Timeline } from "../answers";
import { clock, duration, fullTime } from "../words";
import { stepsOf } from "./step-list";

export function Steps({ timeline }: { timeline: Timeline }) {
  const steps = stepsOf(timeline);
  return (
    <section class="panel" aria-labelledby="steps">
      <header>
        <h2 id="steps">Each step</h2>
        <span class="at-end">{Intl.DateTimeFormat().resolvedOptions().timeZone}</span>
      </header>
      <ol class="steps">
        {steps.map(({ at, where, what, more, isLast }, index) => {
          const date = new Date(at);
          const before = steps[index - 1];
          return (
            <li key={`${at} ${where} ${what}`}>
              <time class="mono" dateTime={date.toISOString()} title={fullTime(date)}>
                {clock(date)}
              </time>
              <span class="after">{before ? `+${duration(at - before.at)}` : ""}</span>
              <span class="where soft">{where}</span>
              <span class="what">
                {isLast ? <b>{what}</b> : what} {more && <code class="soft">{more}</code>}
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
