/** A read that changes depend on, with what it found or is assumed to find. */
export interface Used<Key, Found> {
  /** Identifies the key. */
  readonly name: string;
  readonly key: Key;
  readonly found: Found;
}

/**
 * The reads of one kind that a group of changes makes: those whose results are known, those that are missing, and those that the run
 * has used, which the commit compares with the database.
 */
export class ReadSet<Key, Found extends NonNullable<unknown> | null> {
  readonly #known = new Map<string, Found>();
  readonly #missing = new Map<string, Key>();
  readonly #used = new Map<string, Used<Key, Found>>();
  /** The names of what is assumed. */
  readonly #supposed = new Set<string>();

  /** @param likely with what a run goes on that lacks a read. */
  constructor(readonly likely: Found) {}

  /** True if the run depends on anything that is only assumed. */
  get isSupposed(): boolean {
    return this.#supposed.size > 0 && this.#used.keys().some((name) => this.#supposed.has(name));
  }

  /** Number of reads that the run depends on. */
  get uses(): number {
    return this.#used.size;
  }

  get missing(): readonly (readonly [name: string, key: Key])[] {
    return [...this.#missing];
  }

  get used(): readonly Used<Key, Found>[] {
    return [...this.#used.values()];
  }

  /** Begins another run. Keeps what is known. */
  begin(): void {
    this.#missing.clear();
    this.#used.clear();
  }

  /**
   * Returns what a read has found, on which the run depends from now on. If it is not known, notes that it is missing, and returns what is
   * likely: such a run is made again, and goes on only to learn what else is missing.
   *
   * @param name text that identifies the key.
   */
  read(name: string, key: Key): Found {
    const used = this.#used.get(name);
    if (used) return used.found;
    const found = this.#known.get(name);
    if (found === undefined) {
      this.want(name, key);
      return this.likely;
    }
    this.#used.set(name, { name, key, found });
    return found;
  }

  /** Notes that a read is missing. */
  want(name: string, key: Key): void {
    this.#missing.set(name, key);
  }

  /** Returns what is known, or what is likely of a read that is missing, without depending on it. */
  peek(name: string): Found | undefined {
    const found = this.#known.get(name);
    return found === undefined && this.#missing.has(name) ? this.likely : found;
  }

  /** Keeps what was read. */
  learn(name: string, found: Found): void {
    this.#known.set(name, found);
    this.#supposed.delete(name);
  }

  /** Keeps what is assumed, unless more is known. */
  suppose(name: string, found: Found): void {
    if (this.#known.has(name)) return;
    this.#known.set(name, found);
    this.#supposed.add(name);
  }

  /** Forgets what no longer holds. It is missing then. */
  forget({ name, key }: Used<Key, Found>): void {
    this.#known.delete(name);
    this.#missing.set(name, key);
  }
}
