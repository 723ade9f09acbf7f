import type { Resource } from "../../schema/resource";
import type { TransactionEngine } from "./engine";

/** The ids for the new records of a transaction. Each try uses the same ones, so that a transaction with many tries wastes none. */
export class ReservedIds {
  readonly #reserved = new Map<string, number[]>();
  readonly #used = new Map<string, number>();

  constructor(readonly engine: Pick<TransactionEngine, "reserveId">) {}

  /** Begins another try. */
  reuse(): void {
    this.#used.clear();
  }

  async next(resource: Resource): Promise<number> {
    const { name } = resource;
    const reserved = this.#reserved.get(name) ?? [];
    const used = this.#used.get(name) ?? 0;
    this.#used.set(name, used + 1);
    const known = reserved[used];
    if (known !== undefined) return known;
    const id = await this.engine.reserveId(resource);
    this.#reserved.set(name, [...reserved, id]);
    return id;
  }
}
