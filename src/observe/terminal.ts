// How values are shown to a person.

/** What moves the cursor, ends a line or turns text around: C0, DEL, C1, line separators, and Unicode's marks of direction. */
const obeyed = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Text from outside as it may be shown: what a terminal would obey is an escape. Within JSON, it means the same as before. */
export function printable(text: string): string {
  return text.replace(obeyed, escaped);
}

/** As {@link printable}, for text that has lines. */
export function printableLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => printable(line.replaceAll("\t", "    ")));
}

/** Says something to the person, apart from the output. `console.error` would paint it red. */
export function tell(text: string): void {
  process.stderr.write(`${printableLines(text).join("\n")}\n`);
}

/** `2026-02-18 18:23:45`, in this machine's time zone. */
export function localTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}
