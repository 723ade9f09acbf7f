import { type Mistake, maxMistakes, placeOf } from "./mistakes";

/** Error messages for values that not every JSON parser reads exactly. */
export const expectedExact = {
  text: "Expected string without NUL or lone surrogates",
  name: "Expected property name without NUL or lone surrogates",
  number: "Expected number between -9007199254740991 and 9007199254740991",
} as const;

/** Matches JSON that may be inexact: numbers with many digits or very small ones, and escaped NUL or surrogates. */
const perhapsInexact = /[\d.]{16}|e-\d{3}|\\u(?:0000|d[89a-f])/i;

/**
 * Returns the parts of a JSON text that would not be stored exactly as sent (I-JSON, RFC 7493): duplicate keys, numbers that a
 * double cannot represent, NUL and lone surrogates. Reads the text a second time only if quick checks find a reason.
 *
 * @param text valid JSON text that is not nested too deeply.
 * @param value the result of JSON.parse for the text.
 */
export function inexact(text: string, value: unknown): Mistake[] {
  const found = new Contents();
  found.read(value);
  const suspect = found.large || found.keys !== colonsAfterQuotes(text) || perhapsInexact.test(text);
  return suspect ? new Reader(text).mistakes() : [];
}

class Contents {
  keys = 0;
  large = false;

  read(value: unknown): void {
    if (typeof value === "number" && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) this.large = true;
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      for (const inner of value) this.read(inner);
      return;
    }
    const keys = Object.keys(value);
    this.keys += keys.length;
    for (const key of keys) this.read((value as Record<string, unknown>)[key]);
  }
}

/** Counts the colons that follow a quote: one per key, and more if a string contains one. */
function colonsAfterQuotes(text: string): number {
  let count = 0;
  for (let colon = text.indexOf(":"); colon !== -1; colon = text.indexOf(":", colon + 1)) {
    let before = colon - 1;
    while (isSpace(text.charCodeAt(before))) before -= 1;
    if (text.charCodeAt(before) === 0x22) count += 1;
  }
  return count;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Finds inexact parts of a text that is valid JSON and not nested too deeply. JSON.parse does not report them. */
class Reader {
  #at = 0;
  readonly #path: (string | number)[] = [];
  readonly #mistakes = new Map<string, string>();

  constructor(readonly text: string) {}

  mistakes(): Mistake[] {
    this.#value();
    return [...this.#mistakes].map(([pointer, detail]) => ({ pointer, detail }));
  }

  #refuse(detail: string): void {
    if (this.#mistakes.size < maxMistakes) this.#mistakes.set(placeOf(...this.#path), detail);
  }

  #value(): void {
    const first = this.#peek();
    if (first === "{") this.#object();
    else if (first === "[") this.#array();
    else if (first === '"') {
      if (!isText(this.#string())) this.#refuse(expectedExact.text);
    } else this.#literal();
  }

  #object(): void {
    const keys = new Set<string>();
    this.#at += 1;
    while (this.#peek() !== "}") {
      if (this.#peek() === ",") this.#at += 1;
      this.#peek();
      const key = this.#string();
      this.#peek();
      this.#at += 1;
      this.#path.push(key);
      if (!isText(key)) this.#refuse(expectedExact.name);
      if (keys.has(key)) this.#refuse("Expected once");
      keys.add(key);
      this.#value();
      this.#path.pop();
    }
    this.#at += 1;
  }

  #array(): void {
    this.#at += 1;
    for (let index = 0; this.#peek() !== "]"; index += 1) {
      if (this.#peek() === ",") this.#at += 1;
      this.#path.push(index);
      this.#value();
      this.#path.pop();
    }
    this.#at += 1;
  }

  #string(): string {
    const start = this.#at;
    for (this.#at += 1; this.text[this.#at] !== '"'; this.#at += 1) if (this.text[this.#at] === "\\") this.#at += 1;
    this.#at += 1;
    return JSON.parse(this.text.slice(start, this.#at)) as string;
  }

  #literal(): void {
    const start = this.#at;
    while (this.#at < this.text.length && /[\w.+-]/.test(this.text[this.#at] as string)) this.#at += 1;
    const literal = this.text.slice(start, this.#at);
    if (!/\d/.test(literal)) return;
    if (Math.abs(Number(literal)) > Number.MAX_SAFE_INTEGER) this.#refuse(expectedExact.number);
    else if (digitsOf(literal) !== digitsOf(String(Number(literal))))
      this.#refuse("Expected number that a double represents exactly; any with up to 15 digits is");
  }

  /** Skips white space and returns the next character. */
  #peek(): string {
    while (isSpace(this.text.charCodeAt(this.#at))) this.#at += 1;
    return this.text[this.#at] ?? "";
  }
}

/** Returns whether every JSON parser reads a string exactly: it has no NUL and no lone surrogates. */
export function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** Returns a normalized form of a number: its digits without leading and trailing zeros, and an exponent. */
function digitsOf(literal: string): string {
  const [, whole = "", fraction = "", exponent = "0"] = /^-?(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(literal) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  return significant === "" ? "0" : `${significant}e${digits.length - significant.length + Number(exponent) - fraction.length}`;
}
