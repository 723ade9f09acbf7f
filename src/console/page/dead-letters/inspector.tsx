import { useEffect, useRef, useState } from "preact/hooks";
import type { DeadLetter, LetterPage } from "../answers";
import { linkTo } from "../hash";
import { Icon } from "../icons";
import { Json } from "../json";
import { mayChange } from "../mode";
import { Copy, Failed, Notice, Time } from "../parts";
import { useAnswer } from "../use-answer";
import { bytes, clock, counted, duration } from "../words";
import { letterOf, queryFor } from "./letter-key";

interface InspectorProps {
  readonly queue: string;
  /** Its name in the link. */
  readonly name: string;
  readonly onClose: () => void;
  readonly onRedrive: (letter: DeadLetter) => void;
  readonly onDiscard: (letter: DeadLetter) => void;
}

type Part = "event" | "stack";

/** Everything that is known of one dead letter. */
export function Inspector({ queue, name, ...rest }: InspectorProps) {
  const { data, error, isLoading, reload } = useAnswer<LetterPage>(`/dead-letters/${encodeURIComponent(queue)}?${queryFor(name)}`);
  const letter = data && letterOf(name, data.deadLetters);
  if (letter) return <Shown key={name} queue={queue} name={name} letter={letter} {...rest} />;
  if (error) return <Failed error={error} onRetry={reload} />;
  return <Notice title={isLoading ? "Loading…" : "It is no longer a dead letter of this queue."} />;
}

function Shown({ queue, letter, onClose, onRedrive, onDiscard }: InspectorProps & { letter: DeadLetter }) {
  const [part, setPart] = useState<Part>("event");
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow screen it is below the list.
    if (matchMedia("(max-width: 1180px)").matches) panel.current?.scrollIntoView({ block: "start" });
  }, []);
  const { id, type, reason, error, stack, group, body, bodyBytes, bodyEncoding } = letter;
  return (
    <aside class="panel inspect" aria-labelledby="letter" ref={panel}>
      <header>
        <h2 id="letter" class="type">
          {type ?? "no type"}
        </h2>
        <span class="tag bad">{reason}</span>
        <button class="button bare small at-end" type="button" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="body">
        {error && <p class="error">{error}</p>}
        <Facts letter={letter} />
        <div class="tabs" role="tablist" aria-label="Parts">
          <Tab name="Event" isChosen={part === "event"} onChoose={() => setPart("event")} />
          {stack && <Tab name="Stack" isChosen={part === "stack"} onChoose={() => setPart("stack")} />}
          <span class="at-end">{bytes(bodyBytes)}</span>
        </div>
        <div role="tabpanel" id="part">
          {part === "stack" && stack ? <Text text={stack} /> : <Body body={body} encoding={bodyEncoding} isCut={bodyBytes > 65_536} />}
        </div>
      </div>
      <footer>
        {id === "" && <span class="quiet">Without an id, it is redriven or discarded with its group.</span>}
        {id !== "" && mayChange() && (
          <>
            <button class="button" type="button" onClick={() => onRedrive(letter)}>
              <Icon name="redrive" /> Redrive
            </button>
            <button class="button danger" type="button" onClick={() => onDiscard(letter)}>
              Discard…
            </button>
          </>
        )}
        <span class="at-end" />
        <Copy text={typeof body === "string" ? body : JSON.stringify(body, null, 2)} label="JSON" />
        <Copy
          text={`curl ${new URL(`../dead-letters/${encodeURIComponent(queue)}/redrive`, location.href).href} -H 'content-type: application/json' -d '${JSON.stringify(id === "" ? { group } : { ids: [id] })}'`}
          label="curl"
        />
      </footer>
    </aside>
  );
}

function Facts({ letter: { id, type, subject, firstFailure, lastFailure, attempts } }: { letter: DeadLetter }) {
  const resource = type?.split(".")[0] ?? "";
  const tookMs = firstFailure && lastFailure ? Date.parse(lastFailure) - Date.parse(firstFailure) : 0;
  return (
    <dl class="facts">
      {id !== "" && (
        <>
          <dt>Event</dt>
          <dd>
            <a class="link mono" href={linkTo(["events", id])}>
              {id}
            </a>
          </dd>
        </>
      )}
      {subject !== null && (
        <>
          <dt>Record</dt>
          <dd>
            <a class="link" href={linkTo(["events"], { resource, id: String(subject) })}>
              {resource} {subject}
            </a>
          </dd>
        </>
      )}
      {firstFailure && (
        <>
          <dt>First failure</dt>
          <dd>
            {clock(new Date(firstFailure))}{" "}
            <span class="quiet">
              <Time at={firstFailure} />
            </span>
          </dd>
        </>
      )}
      {lastFailure && (
        <>
          <dt>Last failure</dt>
          <dd>
            {clock(new Date(lastFailure))}{" "}
            <span class="quiet">
              after {counted(attempts, "attempt")}
              {tookMs > 0 && ` in ${duration(tookMs)}`}
            </span>
          </dd>
        </>
      )}
    </dl>
  );
}

function Tab({ name, isChosen, onChoose }: { name: string; isChosen: boolean; onChoose: () => void }) {
  return (
    <button type="button" role="tab" aria-selected={isChosen} aria-controls="part" onClick={onChoose}>
      {name}
    </button>
  );
}

function Body({ body, encoding, isCut }: { body: unknown; encoding: DeadLetter["bodyEncoding"]; isCut: boolean }) {
  if (encoding === "json") return <Json value={body} />;
  return (
    <>
      <p class="quiet">{encoding === "base64" ? "It is not text. In base64:" : isCut ? "The first 64 KiB:" : "As text:"}</p>
      <Text text={String(body)} />
    </>
  );
}

function Text({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard
    <pre class="json" tabIndex={0}>
      {text}
    </pre>
  );
}
