import type { Replay } from "../answers";
import { mayChange } from "../mode";
import { Time } from "../parts";
import { number } from "../words";

const tones = { queued: "idle", running: "good live", finished: "good", failed: "bad", cancelled: "idle" } as const;

export function ReplayList({ replays, onCancel }: { replays: readonly Replay[]; onCancel: (id: string) => void }) {
  return (
    <section class="panel" aria-label="Replays, the newest first">
      <ul class="replays">
        {replays.map((replay) => (
          <Row key={replay.id} replay={replay} onCancel={onCancel} />
        ))}
      </ul>
    </section>
  );
}

function Row({ replay, onCancel }: { replay: Replay; onCancel: (id: string) => void }) {
  const { id, queue, kind, state, selection, sent, progress, createdAt, error, note } = replay;
  const isGoing = state === "running" || state === "queued";
  return (
    <li class="work">
      <div>
        <b>{queue}</b>
        <span class={`state ${tones[state]}`}>{state}</span>
        <span class="quiet">
          {kind === "fill" ? "past events for a new queue" : selectedText(selection)}, <Time at={createdAt} />
        </span>
        {isGoing && mayChange() && (
          <button class="button small" type="button" onClick={() => onCancel(id)}>
            Cancel
          </button>
        )}
      </div>
      {isGoing && <progress value={progress} max={1} aria-label={`${Math.round(progress * 100)} % of the log is read`} />}
      <p class={error ? "mistake" : "quiet"}>
        {number(sent)} sent{isGoing && `, ${Math.round(progress * 100)} % of the log read`}
        {error && `. ${error}`}
        {note && `. ${note}`}
      </p>
    </li>
  );
}

/** Says which events are sent, as far as they are not all. */
function selectedText({ types, subject, from, to, rate, force }: Replay["selection"]): string {
  const parts = [
    types === null ? "all events" : types.join(", "),
    subject !== null && `of the record ${subject}`,
    from !== null && `from ${from}`,
    to !== null && `to ${to}`,
    rate !== null && `at most ${number(rate)}/s`,
    force && "also to those that have handled them",
  ];
  return parts.filter(Boolean).join(" ");
}
