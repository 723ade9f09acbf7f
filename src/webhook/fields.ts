/** Reads the fields of a JSON object one by one, and collects every mistake instead of stopping at the first. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  /** @param where the name of the object in messages, such as `subscriptions[0]`. Empty for the whole. */
  constructor(
    value: unknown,
    readonly where: string,
    readonly mistakes: string[],
  ) {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!isObject) mistakes.push(`${where || "the whole"}: use an object, { … }`);
    this.#values = isObject ? (value as Record<string, unknown>) : {};
  }

  /**
   * Returns the parsed value of a field. After a mistake, the returned value must not be used.
   *
   * @param parse throws an error that describes a valid value.
   * @param fallback the value of an omitted field. Without a fallback, an omitted field is a mistake.
   */
  read<T>(name: string, parse: (value: unknown) => T, ...[fallback]: [T?]): T {
    this.#known.add(name);
    const value = this.#values[name];
    try {
      if (value !== undefined || fallback === undefined) return parse(value);
    } catch (error) {
      this.mistake(name, `${value === undefined ? "is missing; " : ""}${(error as Error).message}`);
    }
    return fallback as T;
  }

  /** Adds a mistake in a field. */
  mistake(name: string, text: string): void {
    this.mistakes.push(`${this.where ? `${this.where}.` : ""}${name}: ${text}`);
  }

  /** Adds a mistake for each field that was not read, since it may be misspelt. */
  refuseOthers(): void {
    for (const name of Object.keys(this.#values)) {
      if (!this.#known.has(name)) this.mistake(name, `is not known; known are ${[...this.#known].join(", ")}`);
    }
  }
}

/** Returns a parser for an integer from `least` to `most`. */
export function wholeNumber(least: number, most: number, unit: string) {
  return (value: unknown): number => {
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new TypeError(`use a whole number of ${unit} from ${least} to ${most}`);
  };
}

/** Returns a parser for text that matches the pattern. */
export function text(pattern: RegExp, expected: string) {
  return (value: unknown): string => {
    if (typeof value === "string" && pattern.test(value)) return value;
    throw new TypeError(`use ${expected}`);
  };
}

/** Returns a parser for a list that is not empty. */
export function list<T>(parse: (value: unknown) => T, expected: string) {
  return (value: unknown): T[] => {
    if (!Array.isArray(value) || value.length === 0) throw new TypeError(`use ${expected}`);
    return value.map(parse);
  };
}
