import { useEffect, useRef, useState } from "preact/hooks";
import { send } from "../api";
import { linkTo } from "../hash";
import { lostRace } from "./refusals";

interface ConfirmDeleteProps {
  readonly path: string;
  readonly title: string;
  /** State of the record that one has seen. A record that has changed since is not deleted. */
  readonly etag: string;
  readonly resource: string;
  readonly id: string;
  readonly onDeleted: () => void;
  /** Called if the record is not what one has seen. */
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

/** Asks before a record is deleted. */
export function ConfirmDelete({ path, title, etag, resource, id, onDeleted, onChanged, onClose }: ConfirmDeleteProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [mistake, setMistake] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    setBusy(true);
    send(path, { method: "DELETE", headers: { "if-match": etag } }).then(onDeleted, (error: Error) => {
      setBusy(false);
      if (lostRace(error)) onChanged();
      else setMistake(error.message);
    });
  };
  return (
    <dialog class="confirm" ref={dialog} aria-labelledby="confirm" onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id="confirm">Delete {title}?</h2>
        <p class="soft">
          Consumers get the event {resource}.deleted. Its{" "}
          <a class="link" href={linkTo(["events"], { resource, id })}>
            events
          </a>{" "}
          stay, and it can be restored from them as long as they are kept.
        </p>
        {mistake && (
          <p class="mistake" role="alert">
            {mistake}
          </p>
        )}
        <div class="row">
          <button class="button" type="button" onClick={onClose}>
            Keep it
          </button>
          <button class="button danger" type="submit" disabled={isBusy}>
            Delete
          </button>
        </div>
      </form>
    </dialog>
  );
}
