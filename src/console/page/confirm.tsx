import type { ComponentChildren } from "preact";
import { useModal } from "./use-modal";

interface ConfirmProps {
  readonly title: string;
  /** The consequences. */
  readonly children: ComponentChildren;
  /** Name of the button that does it. */
  readonly act: string;
  /** Name of the button that does nothing. */
  readonly keep?: string;
  /** Why it was not done. */
  readonly mistake?: string | undefined;
  readonly isDisabled?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** A dialog that asks before something is lost. */
export function Confirm({ title, children, act, keep = "Keep it", mistake, isDisabled = false, onConfirm, onClose }: ConfirmProps) {
  const dialog = useModal();
  const submit = (event: Event) => {
    event.preventDefault();
    if (!isDisabled) onConfirm();
  };
  return (
    <dialog class="confirm" ref={dialog} aria-labelledby="confirm" onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id="confirm">{title}</h2>
        {children}
        {mistake !== undefined && (
          <p class="mistake" role="alert">
            {mistake}
          </p>
        )}
        <div class="row">
          <button class="button" type="button" onClick={onClose}>
            {keep}
          </button>
          <button class="button danger" type="submit" disabled={isDisabled}>
            {act}
          </button>
        </div>
      </form>
    </dialog>
  );
}
