import { useState } from "preact/hooks";
import type { Replay } from "../answers";
import { ask } from "../api";
import { useStatus } from "../status";
import { counted, number } from "../words";
import { bodyOf, type Fields, localTime } from "./body";

/** Starts a replay, after saying how many events it would send. */
export function ReplayForm({ query, onStarted }: { query: URLSearchParams; onStarted: () => void }) {
  const { status } = useStatus();
  const [fields, setFields] = useState<Fields>({
    ...{ queue: query.get("queue") ?? "", events: query.get("events") ?? "", id: query.get("id") ?? "" },
    ...{ from: localTime(query.get("from")), to: "", rate: "", force: false },
  });
  const [count, setCount] = useState<number>();
  const [mistake, setMistake] = useState<string>();
  const queues = status?.queues?.map(({ queue }) => queue) ?? [];
  const set = (change: Partial<Fields>) => {
    setFields((before) => ({ ...before, ...change }));
    // It was the number of other events.
    setCount(undefined);
  };
  const refused = (error: Error) => setMistake(error.message);
  const submit = (event: Event) => {
    event.preventDefault();
    setMistake(undefined);
    if (count === undefined) {
      ask<{ count: number }>("/replays", { method: "POST", body: { ...bodyOf(fields), dryRun: true } }).then(
        (answer) => setCount(answer.count),
        refused,
      );
    } else {
      ask<Replay>("/replays", { method: "POST", body: bodyOf(fields) }).then(() => {
        setCount(undefined);
        onStarted();
      }, refused);
    }
  };
  return (
    <form class="panel form" aria-labelledby="new" onSubmit={submit}>
      <h2 id="new">Replay past events</h2>
      <label>
        Queue
        <select class="text" required value={fields.queue} onChange={(event) => set({ queue: event.currentTarget.value })}>
          <option value="">Choose one</option>
          {queues.map((queue) => (
            <option key={queue} value={queue}>
              {queue}
            </option>
          ))}
        </select>
      </label>
      <Text
        label="Event types or patterns"
        value={fields.events}
        placeholder="all, or item.created, item.*"
        onInput={(events) => set({ events })}
      />
      <Text label="Id of the record" value={fields.id} placeholder="any" onInput={(id) => set({ id })} />
      <Moment label="From" value={fields.from} onInput={(from) => set({ from })} />
      <Moment label="Before" value={fields.to} onInput={(to) => set({ to })} />
      <Text label="At most per second" value={fields.rate} placeholder="as fast as it goes" onInput={(rate) => set({ rate })} />
      <label class="check">
        <input type="checkbox" checked={fields.force} onChange={(event) => set({ force: event.currentTarget.checked })} />
        Also what was handled already
      </label>
      {mistake && (
        <p class="mistake" role="alert">
          {mistake}
        </p>
      )}
      <p class="quiet" role="status">
        {count === undefined ? "" : count === 0 ? "No event matches." : `${counted(count, "event")} will be sent to ${fields.queue}.`}
      </p>
      <button class={`button ${count ? "main" : ""}`} type="submit" disabled={count === 0}>
        {count ? `Replay ${number(count)}` : "Count them"}
      </button>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

function Text({ label, value, placeholder, onInput }: FieldProps & { placeholder: string }) {
  return (
    <label>
      {label}
      <input class="text" type="text" value={value} placeholder={placeholder} onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}

/** A time in the browser's own time zone. */
function Moment({ label, value, onInput }: FieldProps) {
  return (
    <label>
      {label}
      <input class="text" type="datetime-local" step={1} value={value} onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}
