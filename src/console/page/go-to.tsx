import { useEffect, useState } from "preact/hooks";
import { signOut } from "./api";
import { go, linkTo } from "./hash";
import { Icon } from "./icons";
import { useStatus } from "./status";
import { useModal } from "./use-modal";

interface Goal {
  readonly name: string;
  readonly about: string;
  readonly go: () => void;
}

/** Calls `open` for ⌘K and Ctrl+K, unless a dialog is open. */
export function useGoToKey(open: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey)) return;
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) open();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

/** A dialog that goes to a page, a queue, or the event with a pasted id. */
export function GoTo({ onClose, canSignOut }: { onClose: () => void; canSignOut: boolean }) {
  const dialog = useModal();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const { status } = useStatus();
  const found = goalsFor(text.trim(), status?.queues?.map(({ queue }) => queue) ?? [], canSignOut);
  const leave = (goal: Goal | undefined) => {
    if (!goal) return;
    onClose();
    goal.go();
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setChosen((before) => Math.min(found.length - 1, Math.max(0, before + step)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      leave(found[chosen]);
    }
  };
  return (
    <dialog
      class="go-to"
      ref={dialog}
      aria-label="Go to"
      onClose={onClose}
      onPointerDown={(event) => event.target === dialog.current && onClose()}
    >
      <div class="field">
        <Icon name="find" />
        <input
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls="goals"
          aria-activedescendant={found[chosen] && `goal-${chosen}`}
          aria-label="A page, a queue or the id of an event"
          placeholder="A page, a queue or the id of an event"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={press}
        />
      </div>
      <div id="goals" role="listbox" aria-label="Places">
        {found.map((goal, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the input above keeps the focus
          <div
            id={`goal-${index}`}
            key={`${goal.about} ${goal.name}`}
            role="option"
            aria-selected={index === chosen}
            onPointerDown={() => leave(goal)}
          >
            <b>{goal.name}</b> <span class="quiet">{goal.about}</span>
          </div>
        ))}
        {found.length === 0 && (
          <div role="option" aria-selected="false" aria-disabled="true" tabIndex={-1} class="quiet">
            Nothing has this name.
          </div>
        )}
      </div>
    </dialog>
  );
}

function goalsFor(text: string, queues: readonly string[], canSignOut: boolean): Goal[] {
  const to = (name: string, about: string, ...parts: string[]): Goal => ({ name, about, go: () => go(linkTo(parts)) });
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(text)) return [to(text, "event", "events", text.toLowerCase())];
  const all: Goal[] = [
    to("Overview", "page", "overview"),
    to("Events", "page", "events"),
    to("Data", "page", "data"),
    to("Consumers", "page", "consumers"),
    to("Dead letters", "page", "dead-letters"),
    to("Replays", "page", "replays"),
    to("Webhooks", "page", "webhooks"),
    to("Topology", "page", "topology"),
    to("Contracts", "page", "contracts"),
    to("Health", "page, with the settings", "health"),
    ...queues.map((queue) => to(queue, "consumers of this queue", "consumers", queue)),
    ...queues.map((queue) => to(queue, "dead letters of this queue", "dead-letters", queue)),
    { name: "API", about: "its documentation", go: () => location.assign("../swagger") },
    ...(canSignOut ? [{ name: "Sign out", about: "", go: () => void signOut() }] : []),
  ];
  const wanted = text.toLowerCase();
  return all.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, 10);
}
