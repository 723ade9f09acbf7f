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
              <b>{what.replaceAll('"', "")}</b> {!(kind in goals) && <span class="soft">{withCode(todo)}</span>}
            </p>
            <Goal kind={kind} queue={queue} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Kinds of problems that a page of the console is about. */
const goals: Partial<Record<Need["kind"], { readonly page: string; readonly name: string }>> = {
  "dead-letters": { page: "dead-letters", name: "Look at them" },
  "no-consumer": { page: "consumers", name: "How to start it" },
};

function Goal({ kind, queue }: Pick<Need, "kind" | "queue">) {
  const goal = goals[kind];
  if (!goal || queue === null) return null;
  return (
    <a class="button small" href={linkTo([goal.page, queue])}>
      {goal.name}
    </a>
  );
}

/** Shows the text between backticks as code. */
function withCode(text: string) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}
