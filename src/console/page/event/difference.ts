/** The fields of a record. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Line {
  readonly kind: "same" | "gone" | "new";
  readonly text: string;
}

/** Fields that every change changes. */
const always = new Set(["version", "updatedAt"]);

/**
 * Returns the fields of a record as lines of JSON, with those that differ from the version before it.
 *
 * @param before undefined if it is not known, or if there was none: then nothing differs.
 */
export function linesOf(before: Fields | undefined, after: Fields): Line[] {
  const names = [...new Set([...Object.keys(after), ...Object.keys(before ?? {})])];
  const last = names.at(-1);
  return names.flatMap((name) => {
    const end = name === last ? "" : ",";
    const line = (kind: Line["kind"], fields: Fields): Line[] =>
      name in fields ? [{ kind, text: `${JSON.stringify(name)}: ${JSON.stringify(fields[name], null, 2)}${end}` }] : [];
    if (before === undefined || always.has(name) || JSON.stringify(before[name]) === JSON.stringify(after[name]))
      return line("same", after);
    return [...line("gone", before), ...line("new", after)];
  });
}
