import { UsageError } from "../../observe/command-line";

/** Words that cannot name a constant, or that generated files import under this name. */
const taken = new Set([
  ...["arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else"],
  ...["enum", "eval", "export", "extends", "false", "finally", "for", "function", "if", "implements", "import", "in", "instanceof"],
  ...["interface", "let", "new", "null", "package", "private", "protected", "public", "return", "static", "super", "switch", "this"],
  ...["throw", "true", "try", "typeof", "undefined", "var", "void", "while", "with", "yield"],
  ...["action", "consumer", "crud", "event", "expect", "log", "record", "service", "test", "type"],
]);

/**
 * Returns the constant for a name: `orderLine` for `order_line` or `order-line`.
 *
 * @param suffix Added to a name that cannot be a constant, such as `package`.
 */
export function constantOf(name: string, suffix: "Resource" | "Consumer" = "Resource"): string {
  const camel = name.replaceAll(/[-_]+([a-z0-9])?/g, (_, letter: string | undefined) => letter?.toUpperCase() ?? "");
  return taken.has(camel) ? `${camel}${suffix}` : camel;
}

/** Returns the type for a name: `OrderLine` for `order_line`. */
export function typeOf(name: string): string {
  return capitalized(constantOf(name));
}

/** Returns the name of a file, and of a path of the URL, for a name: `order-line` for `order_line`. */
export function fileOf(name: string): string {
  return name.replaceAll("_", "-");
}

/** Returns a name as people write it: `order line` for `order_line`, `due at` for `dueAt`. */
export function wordsOf(name: string): string {
  return name.replaceAll(/[-_]+|(?<=[a-z0-9])(?=[A-Z])/g, " ").toLowerCase();
}

/** Returns words with their indefinite article, such as `an order`. */
export function withArticle(words: string): string {
  return `${/^[aeiou]/.test(words) ? "an" : "a"} ${words}`;
}

export function capitalized(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Returns the plural of a regular English noun. */
export function pluralOf(name: string): string {
  if (/[^aeiou]y$/.test(name)) return name.replace(/y$/, "ies");
  return /(s|x|z|ch|sh)$/.test(name) ? `${name}es` : `${name}s`;
}

/** @throws {UsageError} unless a name can be that of a file, a queue or the end of a path. */
export function checkFileName(what: string, name: string, example: string): void {
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) && name.length <= 60) return;
  throw new UsageError(`"${name}" cannot name ${what}. Use lower-case letters, digits and dashes (a letter first), such as "${example}".`);
}
