import { useEffect, useRef } from "preact/hooks";
import type { Difference } from "./race";

interface RaceNoticeProps {
  /** Versions of the record: when one began, and now. */
  readonly versions: readonly [unknown, unknown];
  readonly differences: readonly Difference[];
  readonly onKeep: () => void;
  readonly onDiscard: () => void;
}

/** Says that somebody else has changed the record meanwhile, and what. Nothing was saved. */
export function RaceNotice({ versions: [before, now], differences, onKeep, onDiscard }: RaceNoticeProps) {
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => notice.current?.focus(), []);
  const contested = differences.filter(({ mine }) => mine !== undefined).map(({ name }) => name);
  return (
    <div class="race" role="alert" tabIndex={-1} ref={notice}>
      <p>
        <b>Not saved: it was changed meanwhile.</b> It was version {String(before)}, and is now {String(now)}.
      </p>
      {differences.length > 0 && (
        <dl class="facts">
          {differences.map(({ name, was, now: is, mine }) => [
            <dt key={`${name} what`}>{name}</dt>,
            <dd key={name}>
              <del>{textOf(was)}</del> <ins>{textOf(is)}</ins>
              {mine !== undefined && <span class="soft">you: {mine || "nothing"}</span>}
            </dd>,
          ])}
        </dl>
      )}
      <p class="soft">
        {contested.length > 0
          ? `You have changed ${contested.join(" and ")}, too. With your changes, yours counts.`
          : "Your changes are to other fields."}
      </p>
      <div class="row">
        <button class="button" type="button" onClick={onKeep}>
          Put my changes on top
        </button>
        <button class="button" type="button" onClick={onDiscard}>
          Discard mine
        </button>
      </div>
    </div>
  );
}

function textOf(value: unknown): string {
  return value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);
}
