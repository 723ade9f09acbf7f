import type { LetterGroup } from "../answers";
import { linkTo } from "../hash";
import { Time, useNow } from "../parts";
import { day, number } from "../words";
import { type Choice, hasGroup, hasLetter, type Shown, toggleGroup, toggleLetter } from "./choice";
import type { ListedLetter } from "./letter-key";

interface GroupsProps {
  readonly shown: Shown;
  readonly choice: Choice;
  readonly onChoose: (choice: Choice) => void;
  readonly queue: string;
  readonly query: URLSearchParams;
  /** The letter that is open beside the list. */
  readonly open: string | undefined;
  readonly onMore: (group: string) => void;
}

/** The dead letters, by their error. */
export function Groups({ shown, ...rest }: GroupsProps) {
  return (
    <>
      {shown.groups.map((group) => (
        <Group
          key={group.group}
          group={group}
          letters={shown.letters.filter((letter) => letter.group === group.group)}
          shown={shown}
          {...rest}
        />
      ))}
    </>
  );
}

function Group({
  group,
  letters,
  shown,
  choice,
  onChoose,
  onMore,
  ...rest
}: GroupsProps & { group: LetterGroup; letters: readonly ListedLetter[] }) {
  const now = useNow(60_000);
  const left = group.count - letters.length;
  const since = group.firstFailure ? ` since ${day(new Date(group.firstFailure), now)}` : "";
  return (
    <>
      <div class="group">
        <input
          type="checkbox"
          checked={hasGroup(choice, group.group)}
          aria-label={`Choose all ${number(group.count)} with: ${group.error}`}
          onChange={() => onChoose(toggleGroup(choice, group.group, shown))}
        />
        <code title={group.error}>{group.error || group.reason}</code>
        <span class="quiet">
          {number(group.count)}
          {since}
        </span>
      </div>
      <ul class="letters">
        {letters.map((letter, index) => (
          <Letter key={`${letter.key} ${index}`} letter={letter} shown={shown} choice={choice} onChoose={onChoose} {...rest} />
        ))}
        {left > 0 && (
          <li class="rest">
            <button class="link" type="button" onClick={() => onMore(group.group)}>
              Show {letters.length === 0 ? "them" : `${number(Math.min(left, 50))} more`}
            </button>
          </li>
        )}
      </ul>
    </>
  );
}

function Letter({ letter, shown, choice, onChoose, queue, query, open }: Omit<GroupsProps, "onMore"> & { letter: ListedLetter }) {
  const { id, key, type, subject, attempts, lastFailure } = letter;
  const resource = type?.split(".")[0] ?? "";
  const about = subject === null ? id || "no id" : `${resource} ${subject}`;
  return (
    <li class={`letter ${key === open ? "open" : ""}`} data-id={id}>
      <input
        type="checkbox"
        checked={hasLetter(choice, letter)}
        disabled={id === ""}
        aria-label={`Choose ${type ?? "a message"} of ${about}`}
        onChange={() => onChoose(toggleLetter(choice, letter, shown))}
      />
      <a
        class="type"
        href={linkTo(["dead-letters", queue], { ...Object.fromEntries(query), open: key })}
        aria-current={key === open ? "true" : undefined}
      >
        {type ?? "no type"}
      </a>
      <span class="subject soft">{about}</span>
      <span class="tries">{attempts === 0 ? "no try" : `${number(attempts)} ${attempts === 1 ? "try" : "tries"}`}</span>
      {lastFailure ? <Time at={lastFailure} /> : <span />}
    </li>
  );
}
