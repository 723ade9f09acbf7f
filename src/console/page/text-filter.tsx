import type { ComponentChildren, Ref } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface TextFilterProps {
  /** The text in the page's link. */
  readonly value: string;
  readonly onGive: (value: string) => void;
  /** Gives the text when nothing was typed for so long, in milliseconds. By default, when one leaves the field or presses Enter. */
  readonly pauseMs?: number;
  readonly type?: "text" | "search" | "date";
  readonly inputMode?: "text" | "numeric" | "decimal";
  readonly size?: number;
  readonly placeholder?: string;
  readonly inputRef?: Ref<HTMLInputElement>;
  readonly class?: string;
  /** The label, and what is before the input. */
  readonly children: ComponentChildren;
  /** Elements after the input. */
  readonly end?: ComponentChildren;
}

/** A filter by text. What one types stays while the page is renewed. */
export function TextFilter({
  value,
  onGive,
  pauseMs,
  inputRef,
  children,
  end,
  type = "text",
  class: name = "field",
  ...input
}: TextFilterProps) {
  const [draft, setDraft] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const give = (text: string) => {
    clearTimeout(timer.current);
    setDraft(undefined);
    if (text.trim() !== value) onGive(text.trim());
  };
  const note = (text: string) => {
    setDraft(text);
    clearTimeout(timer.current);
    if (pauseMs !== undefined) timer.current = setTimeout(() => text.trim() !== value && onGive(text.trim()), pauseMs);
  };
  return (
    <label class={name}>
      {children}
      <input
        {...input}
        // The types allow no choice between types.
        type={type as "text"}
        ref={inputRef ?? null}
        value={draft ?? value}
        onInput={(event) => note(event.currentTarget.value)}
        onChange={(event) => give(event.currentTarget.value)}
      />
      {end}
    </label>
  );
}
