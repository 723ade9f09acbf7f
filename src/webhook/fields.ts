/** Reads the fields of a JSON object one by one, and collects every mistake instead of stopping at the first. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  /** @param where names the object in the mistakes: `subscriptions[0]`. */
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
   * What `parse` makes of a field; after a mistake something that must not be used.
   *
   * @param parse throws an error that says what would be right.
   * @param fallback for a field that is left out; without it that is a mistake.
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

  mistake(name: string, text: string): void {
    this.mistakes.push(`${this.where ? `${this.where}.` : ""}${name}: ${text}`);
  }

  /** Takes a field that was not read for a misspelt one. */
  refuseOthers(): void {
    for (const name of Object.keys(this.#values)) {
      if (!this.#known.has(name)) this.mistake(name, `is not known; known are ${[...this.#known].join(", ")}`);
    }
  }
}

export function wholeNumber(least: number, most: number, unit: string) {
  return (value: unknown): number => {
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new TypeError(`use a whole number of ${unit} from ${least} to ${most}`);
  };
}

export function text(pattern: RegExp, expected: string) {
  return (value: unknown): string => {
    if (typeof value === "string" && pattern.test(value)) return value;
    throw new TypeError(`use ${expected}`);
  };
}

export function list<T>(parse: (value: unknown) => T, expected: string) {
  return (value: unknown): T[] => {
    if (!Array.isArray(value) || value.length === 0) throw new TypeError(`use ${expected}`);
    return value.map(parse);
  };
}
