/** Returns TypeScript source of these lines. `false` leaves a line out. */
export function source(...lines: readonly (string | false | readonly string[])[]): string {
  return `${lines
    .flat()
    .filter((line) => line !== false)
    .join("\n")}\n`;
}

/** Returns an import of those names that occur in the code, or no line. */
export function importOf(names: readonly string[], from: string, code: string): string[] {
  const used = names.filter((name) => new RegExp(`\\b${name.replace("type ", "")}\\b`).test(code));
  return used.length > 0 ? [`import { ${used.join(", ")} } from "${from}";`] : [];
}

/** Returns a JSON value as the formatter writes it. */
export function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  return entries.length > 0 ? `{ ${entries.map(([key, each]) => `${key}: ${literal(each)}`).join(", ")} }` : "{}";
}
