import type { ObservedQueue, Webhook } from "../answers";
import { CountCell, DeadCell } from "../consumers/cells";
import { linkTo } from "../hash";
import { Time } from "../parts";
import { duration } from "../words";

const tones = { delivering: "good", paused: "warn", disabled: "bad", stopped: "idle" } as const;

interface RowProps {
  readonly webhook: Webhook;
  /** Undefined while RabbitMQ cannot be asked. */
  readonly queue: ObservedQueue | undefined;
}

export function WebhookRow({ webhook: { name, queue: queueName, url, types, state, answers, handler }, queue }: RowProps) {
  return (
    <tr>
      <td class="name" title={types?.join(", ")}>
        <a href={linkTo(["consumers", queueName])}>
          <b>{name}</b>
        </a>
      </td>
      <td class="note">
        <span class={`state ${tones[state]}`}>{state}</span>
      </td>
      <td class="note">{url === null ? <span class="quiet">known when it runs</span> : <span class="mono">{url}</span>}</td>
      <td class="note">
        <Answers answers={answers} />
      </td>
      <CountCell label="Waiting" value={queue?.messages ?? null} />
      <CountCell label="Retries" value={queue?.retries ?? null} />
      {queue ? <DeadCell queue={queue} /> : <CountCell label="Dead" value={null} />}
      <td class="number wide">{handler === null ? <span class="quiet">–</span> : duration(handler.p99 * 1000)}</td>
    </tr>
  );
}

/** The latest answers as bars, and the last one in words. */
function Answers({ answers }: Pick<Webhook, "answers">) {
  const last = answers.at(-1);
  if (!last) return <span class="quiet">none yet</span>;
  const words = answers.map(({ status }) => statusText(status)).join(", ");
  return (
    <span class="answers">
      <span class="bars" role="img" aria-label={`The last ${answers.length}: ${words}`} title={words}>
        {answers.map(({ at, status }, index) => (
          <i key={`${at} ${index}`} class={isGood(status) ? "good" : "bad"} />
        ))}
      </span>
      <b>{statusText(last.status)}</b>
      <span class="quiet">
        {duration(last.ms)}, <Time at={last.at} />
      </span>
    </span>
  );
}

function isGood(status: number | null): boolean {
  return status !== null && status >= 200 && status <= 299;
}

function statusText(status: number | null): string {
  return status === null ? "no answer" : String(status);
}
