import { useState } from "preact/hooks";
import type { ObservedQueue } from "../answers";
import { ask, Refused } from "../api";
import { Confirm } from "../confirm";
import { counted } from "../words";

interface RemoveProps {
  readonly queue: ObservedQueue;
  readonly onRemoved: () => void;
  readonly onClose: () => void;
}

/** Asks before a queue is removed. If something in it would be lost, its name has to be typed. */
export function RemoveQueue({ queue: { queue, messages, retries, deadLetters }, onRemoved, onClose }: RemoveProps) {
  const [typed, setTyped] = useState("");
  /** Why the API refuses to remove it without force. */
  const [refusal, setRefusal] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const lost = [
    messages ? `${counted(messages, "event")} waiting` : undefined,
    retries > 0 ? `${counted(retries, "event")} to retry` : undefined,
    deadLetters > 0 ? counted(deadLetters, "dead letter") : undefined,
  ].filter((loss) => loss !== undefined);
  const mustType = lost.length > 0 || refusal !== undefined;
  const isConfirmed = !mustType || typed.trim() === queue;
  const remove = () => {
    setBusy(true);
    ask(`/consumers/${encodeURIComponent(queue)}${mustType ? "?force=true" : ""}`, { method: "DELETE" }).then(onRemoved, (error: Error) => {
      setBusy(false);
      // Somebody else was faster.
      if (error instanceof Refused && error.problem.status === 404) onRemoved();
      else setRefusal(error.message);
    });
  };
  return (
    <Confirm
      title={`Remove ${queue}?`}
      act="Remove it"
      mistake={refusal}
      isDisabled={!isConfirmed || isBusy}
      onConfirm={remove}
      onClose={onClose}
    >
      <p class="soft">
        {lost.length > 0 && `It has ${lost.join(", ")}, which would be lost. `}
        The events stay in the log. A consumer that asks for the queue again gets a new one, with the past events that it wants.
      </p>
      {mustType && (
        <label>
          Type {queue} to confirm
          <input class="text" type="text" autoComplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
      )}
    </Confirm>
  );
}
