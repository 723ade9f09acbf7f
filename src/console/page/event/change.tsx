import type { VNode } from "preact";
import { coloured } from "../json";
import { bytes } from "../words";
import { type Fields, type Line, linesOf } from "./difference";

/** Characters of a field that are shown. The whole event is shown, too. */
const mostOfField = 4000;

interface ChangeProps {
  /** The record before the change. Undefined if it is not known, or if there was none. */
  readonly before: Fields | undefined;
  readonly after: Fields;
}

/** The record of an event, and what the change made of it. */
export function Change({ before, after }: ChangeProps) {
  const versions = [before?.["version"], after["version"]];
  return (
    <section class="panel" aria-labelledby="change">
      <header>
        <h2 id="change">{before ? "What changed" : "The record"}</h2>
        <span class="at-end">
          {before ? `version ${versions[0]} to ${versions[1]}` : versions[1] !== undefined && `version ${versions[1]}`}
        </span>
      </header>
      <div class="body">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard */}
        <pre class="json change" tabIndex={0}>
          <span>{"{"}</span>
          {linesOf(before, after).map(shown)}
          <span>{"}"}</span>
        </pre>
      </div>
    </section>
  );
}

function shown({ kind, text }: Line): VNode {
  const isCut = text.length > mostOfField;
  const begin = isCut ? `${text.slice(0, mostOfField)}… (${bytes(text.length)})` : text;
  const content = coloured(`  ${begin.replaceAll("\n", "\n  ")}`);
  const key = `${kind} ${begin}`;
  if (kind === "same") return <span key={key}>{content}</span>;
  return kind === "gone" ? <del key={key}>{content}</del> : <ins key={key}>{content}</ins>;
}
