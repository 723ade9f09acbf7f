import { useState } from "preact/hooks";
import { send } from "../api";
import { Confirm } from "../confirm";
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
  const [mistake, setMistake] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const remove = () => {
    setBusy(true);
    send(path, { method: "DELETE", headers: { "if-match": etag } }).then(onDeleted, (error: Error) => {
      setBusy(false);
      if (lostRace(error)) onChanged();
      else setMistake(error.message);
    });
  };
  return (
    <Confirm title={`Delete ${title}?`} act="Delete" mistake={mistake} isDisabled={isBusy} onConfirm={remove} onClose={onClose}>
      <p class="soft">
        Consumers get the event {resource}.deleted. Its{" "}
        <a class="link" href={linkTo(["events"], { resource, id })}>
          events
        </a>{" "}
        stay, and it can be restored from them as long as they are kept.
      </p>
    </Confirm>
  );
}
