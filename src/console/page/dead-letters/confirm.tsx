import { useState } from "preact/hooks";
import { Confirm } from "../confirm";
import { counted, number } from "../words";

/** Above this count, it has to be typed. */
const mostWithoutTyping = 10;

interface ConfirmDiscardProps {
  readonly count: number;
  /** True if others are included that were not counted. */
  readonly hasMore: boolean;
  readonly queue: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before dead letters are discarded, which is final. */
export function ConfirmDiscard({ count, hasMore, queue, onConfirm, onClose }: ConfirmDiscardProps) {
  const [typed, setTyped] = useState("");
  const isFew = count <= mostWithoutTyping && !hasMore;
  const isConfirmed = isFew || typed.replaceAll(/\D/g, "") === String(count);
  const discard = () => {
    onConfirm();
    onClose();
  };
  return (
    <Confirm
      title={`Discard ${hasMore ? `${number(count)} or more dead letters` : counted(count, "dead letter")} of ${queue}?`}
      act={`Discard ${number(count)}${hasMore ? " or more" : ""}`}
      keep="Keep them"
      isDisabled={!isConfirmed}
      onConfirm={discard}
      onClose={onClose}
    >
      <p class="soft">
        This is final: the consumer never handles these events. They stay in the event log. What arrives from now on is not included.
        {hasMore && " Only the first ones were counted; the others that match are discarded, too."}
      </p>
      {!isFew && (
        <label>
          Type {number(count)} to confirm
          <input
            class="text"
            type="text"
            inputMode="numeric"
            autoComplete="off"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      )}
    </Confirm>
  );
}
