// Small parts that every page uses.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons";
import { ago, fullTime } from "./words";

/** The current time, renewed every few seconds, for times such as "12 s ago". */
export function useNow(everyMs = 5000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** A time, by default as that which has passed since. Pointing at it shows the whole time with its offset. */
export function Time({ at, children }: { at: string; children?: ComponentChildren }) {
  const now = useNow();
  const date = new Date(at);
  return (
    <time dateTime={at} title={fullTime(date)}>
      {children ?? ago(date, now)}
    </time>
  );
}

/** A command for a shell, with a button that copies it. */
export function Command({ text }: { text: string }) {
  return (
    <p class="command">
      <code>{text}</code>
      <Copy text={text} label="Copy" quiet />
    </p>
  );
}

interface CopyProps {
  /** A function for a text that may be long, which is then made when it is needed. */
  readonly text: string | (() => string);
  readonly label: string;
  readonly icon?: IconName;
  readonly quiet?: boolean;
}

/** A button that copies a text, and says so. */
export function Copy({ text, label, icon = "copy", quiet }: CopyProps) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = () => void copyText(typeof text === "string" ? text : text()).then(() => setCopied(true));
  return (
    <button
      class={`button ${quiet ? "bare small" : "bare"}`}
      type="button"
      aria-label={quiet ? label : undefined}
      title={quiet ? label : undefined}
      onClick={copy}
    >
      <Icon name={isCopied ? "check" : icon} />
      {!quiet && (isCopied ? "Copied" : label)}
      <span class="hidden" aria-live="polite">
        {quiet && isCopied ? "Copied" : ""}
      </span>
    </button>
  );
}

/** The clipboard is closed to a page without https, except on localhost. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A page that has nothing but a notice. */
export function Bare({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <>
      <header class="top">
        <h1>{title}</h1>
      </header>
      {children}
    </>
  );
}

/** Shown instead of a list that has nothing, is on its way, or did not come. */
export function Notice({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="notice" role="status">
      <b>{title}</b>
      {children && <p>{children}</p>}
    </div>
  );
}

/** Says that an answer did not come, and offers to ask again. */
export function Failed({ error, onRetry, at }: { error: Error; onRetry: () => void; at?: Date | undefined }) {
  return (
    <div class="notice bad" role="alert">
      <b>{at ? `This is as of ${fullTime(at).slice(11, 19)}.` : "This could not be loaded."}</b>
      <p>{error.message}</p>
      <button class="button small" type="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}

/** The head of a table: columns of text, then columns that stand at the right, such as numbers and times. */
export function TableHead({ texts, numbers }: { texts: readonly string[]; numbers: readonly string[] }) {
  return (
    <thead>
      <tr>
        {texts.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
        {numbers.map((name) => (
          <th key={name} scope="col" class="number">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}
