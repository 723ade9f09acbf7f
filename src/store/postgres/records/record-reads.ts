import type { Resource } from "../../../schema/resource";
import type { Store } from "../../store";
import type { Stored } from "../../stored";
import { uniqueValueOf } from "../../unique-values";
import type { Queries } from "../connection/queries";
import { uniqueSlot } from "../slots/slot-definition";
import type { Slots } from "../slots/slots";
import { recordColumns, type StoredRow, upToDate } from "./stored-row";

/** Maximum number of records that one query reads by id. */
const mostIds = 1000;

interface Asked {
  readonly id: number;
  resolve(found: StoredRow | undefined): void;
  reject(error: unknown): void;
}

/** Reads records by id, as last committed. Those that are asked for in one turn of the event loop are read by one query. */
export class RecordReads {
  readonly #asked = new Map<Resource, Asked[]>();

  constructor(
    readonly queries: Queries,
    readonly slots: Slots,
  ) {}

  async get(resource: Resource, id: number): Promise<Stored | undefined> {
    const row = await this.#row(resource, id);
    return row && upToDate(resource, row);
  }

  #row(resource: Resource, id: number): Promise<StoredRow | undefined> {
    return new Promise((resolve, reject) => {
      const asked = this.#asked.get(resource);
      if (asked) asked.push({ id, resolve, reject });
      else {
        this.#asked.set(resource, [{ id, resolve, reject }]);
        setImmediate(() => void this.#answer(resource));
      }
    });
  }

  async #answer(resource: Resource): Promise<void> {
    const asked = this.#asked.get(resource) ?? [];
    this.#asked.delete(resource);
    try {
      const found = new Map((await this.#rows(resource, [...new Set(asked.map(({ id }) => id))])).map((row) => [row.id, row]));
      for (const { id, resolve } of asked) resolve(found.get(id));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  async getAll(resource: Resource, ids: readonly number[]): Promise<Stored[]> {
    return (await this.#rows(resource, ids)).map((row) => upToDate(resource, row));
  }

  async #rows(resource: Resource, ids: readonly number[]): Promise<StoredRow[]> {
    const parts = Array.from({ length: Math.ceil(ids.length / mostIds) }, (_, part) => ids.slice(part * mostIds, (part + 1) * mostIds));
    const sql = `SELECT ${recordColumns} FROM "${resource.plural}" WHERE id = ANY ($1)`;
    return (await Promise.all(parts.map((part) => this.queries.query<StoredRow>(sql, part)))).flat();
  }

  readonly findByKey: Store["findByKey"] = async (resource, name, values) => {
    const key = resource.unique.find((each) => each.name === name);
    if (!key) throw new Error(`The resource "${resource.name}" has no unique key "${name}".`);
    const value = uniqueValueOf(key)(values);
    if (value === null) return undefined;
    const [row] = await this.queries.query<StoredRow>(
      `SELECT ${recordColumns} FROM "${resource.plural}"
       WHERE id = (SELECT w.id FROM warren_unique_values w WHERE w.slot = $1 AND w.value = $2)`,
      this.slots.numberOf(resource, uniqueSlot(key)),
      value,
    );
    return row && upToDate(resource as Resource, row);
  };
}
