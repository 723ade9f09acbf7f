import type { VNode } from "preact";

/** Above this length a text is shown without colours, which would make too many elements. */
const mostColoured = 20_000;

const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON in colours. Every part is a text node, whatever the value contains. */
export function Json({ value }: { value: unknown }) {
  const text = JSON.stringify(value, null, 2) ?? "";
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard
    <pre class="json" tabIndex={0}>
      {text.length > mostColoured ? text : coloured(text)}
    </pre>
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
