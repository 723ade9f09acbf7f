import type { Need } from "../answers";
import { linkTo } from "../hash";
import { Icon } from "../icons";

/** Kinds of problems that lose or hold up nothing for now. */
const mild = new Set<Need["kind"]>(["no-consumer", "conversion", "refused-announcement"]);

/** Things that need a person. */
export function Needs({ needs }: { needs: readonly Need[] }) {
  return (
    <section class="panel" aria-label="What needs a person">
      <ul class="needs">
        {needs.map(({ kind, queue, what, todo }) => (
          <li key={`${kind} ${queue} ${kind === "quarantine" ? what : ""}`} class={mild.has(kind) ? "warn" : undefined}>
            <Icon name={mild.has(kind) ? "queues" : "dead"} />
            <p>
              <b>{what.replaceAll('"', "")}</b> {kind !== "dead-letters" && <span class="soft">{withCode(todo)}</span>}
            </p>
            {kind === "dead-letters" && queue !== null && (
              <a class="button small" href={linkTo(["dead-letters", queue])}>
                Look at them
              </a>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Shows the text between backticks as code. */
function withCode(text: string) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}
