import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import { bytes } from "./words";

/** Above this length a text is shown without colours, which would make too many elements. */
const mostColoured = 20_000;
/** The length that is shown at first. Much more would stop the page while the browser lays it out. */
const mostAtFirst = 65_536;

const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON in colours. Every part is a text node, whatever the value contains. Of a long one the beginning is shown, and the rest on request. */
export function Json({ value }: { value: unknown }) {
  const text = useMemo(() => JSON.stringify(value, null, 2) ?? "", [value]);
  const [whole, setWhole] = useState("");
  const isCut = text.length > mostAtFirst && whole !== text;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard */}
      <pre class="json" tabIndex={0}>
        {isCut ? text.slice(0, mostAtFirst) : text.length > mostColoured ? text : coloured(text)}
      </pre>
      {isCut && (
        <p class="more">
          <button class="button small" type="button" onClick={() => setWhole(text)}>
            Show all {bytes(text.length)}
          </button>
        </p>
      )}
    </>
  );
}

/** Returns the parts of a JSON text, with their colours. */
export function coloured(text: string): (string | VNode)[] {
  const parts: (string | VNode)[] = [];
  let end = 0;
  for (const match of text.matchAll(token)) {
    const [whole, string, colon = "", word] = match;
    parts.push(text.slice(end, match.index));
    const kind = string ? (colon ? "k" : "s") : word ? "w" : "n";
    parts.push(<span class={kind}>{string ?? whole}</span>, string ? colon : "");
    end = match.index + whole.length;
  }
  parts.push(text.slice(end));
  return parts;
}
