import { useState } from "preact/hooks";
import { useModal } from "../use-modal";
import { counted, number } from "../words";

/** Above this count, it has to be typed. */
const mostWithoutTyping = 10;

/** Asks before dead letters are discarded, which is final. */
export function ConfirmDiscard({
  count,
  queue,
  onConfirm,
  onClose,
}: {
  count: number;
  queue: string;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const dialog = useModal();
  const [typed, setTyped] = useState("");
  const isFew = count <= mostWithoutTyping;
  const isConfirmed = isFew || typed.replaceAll(/\D/g, "") === String(count);
  const submit = (event: Event) => {
    event.preventDefault();
    if (!isConfirmed) return;
    onConfirm();
    onClose();
  };
  return (
    <dialog class="confirm" ref={dialog} aria-labelledby="confirm" onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id="confirm">
          Discard {counted(count, "dead letter")} of {queue}?
        </h2>
        <p class="soft">
          This is final: the consumer never handles these events. They stay in the event log. What arrives from now on is not included.
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
        <div class="row">
          <button class="button" type="button" onClick={onClose}>
            Keep them
          </button>
          <button class="button danger" type="submit" disabled={!isConfirmed}>
            Discard {number(count)}
          </button>
        </div>
      </form>
    </dialog>
  );
}
