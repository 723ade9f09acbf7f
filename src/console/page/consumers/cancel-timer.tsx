import { useState } from "preact/hooks";
import type { Timer } from "../answers";
import { ask, Refused } from "../api";
import { Confirm } from "../confirm";
import { fullTime } from "../words";

interface CancelTimerProps {
  readonly timer: Timer;
  readonly onCancelled: () => void;
  readonly onClose: () => void;
}

/** Asks before an event that was to be published later is cancelled. */
export function CancelTimer({ timer: { number, type, id, dueAt }, onCancelled, onClose }: CancelTimerProps) {
  const [mistake, setMistake] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const cancel = () => {
    setBusy(true);
    ask(`/timers/${number}`, { method: "DELETE" }).then(onCancelled, (error: Error) => {
      setBusy(false);
      // It is published, or somebody else was faster.
      if (error instanceof Refused && error.problem.status === 404) onCancelled();
      else setMistake(error.message);
    });
  };
  return (
    <Confirm
      title={`Cancel ${type} of ${id}?`}
      act="Cancel the event"
      mistake={mistake}
      isDisabled={isBusy}
      onConfirm={cancel}
      onClose={onClose}
    >
      <p class="soft">It is due at {fullTime(new Date(dueAt))}, and would never be published. This is final.</p>
    </Confirm>
  );
}
