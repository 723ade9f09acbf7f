import type { PostgresAddress } from "../../../config/postgres-url";
import type { Resource } from "../../../schema/resource";
import type { OnBuilt } from "../../broken-declarations";
import { StoreUnavailable } from "../../errors";
import type { Database } from "../connection/queries";
import { lockKey } from "../schema/migrations";
import { fillSlots } from "./slot-fill";
import { SlotTable } from "./slot-table";
import { Slots } from "./slots";

/** How often a process says that it runs, in milliseconds. */
const liveEveryMs = 10_000;
/** Pause between two looks whether another process has filled slots, in milliseconds. */
const lookEveryMs = 200;

/** The declarations of this program in the database. Other processes keep their entries as long as it is open. */
export class Declarations {
  readonly slots = new Slots();
  readonly #table: SlotTable;
  readonly #tables: ReadonlyMap<string, string>;
  readonly #timer: Timer;
  #isClosed = false;
  #renewal: Promise<void> = Promise.resolve();
  #isRenewalQueued = false;

  private constructor(
    readonly database: Database,
    readonly lock: string,
    readonly resources: readonly Resource[],
    readonly onBuilt: OnBuilt,
  ) {
    this.#table = new SlotTable(database, lock, crypto.randomUUID(), resources);
    this.#tables = new Map(resources.map(({ name, plural }) => [name, plural]));
    this.#timer = setInterval(() => this.#renew(), liveEveryMs);
    this.#timer.unref();
  }

  /**
   * Makes the entries of existing records for what is declared newly, in batches beside running processes. Each resource has its table.
   *
   * @throws {Error} if stored records break a declaration. The message names some and says what to do.
   */
  static async open(
    database: Database,
    address: PostgresAddress,
    resources: readonly Resource[],
    onBuilt: OnBuilt = () => {},
  ): Promise<Declarations> {
    const declarations = new Declarations(database, lockKey(address.schema, "commit"), resources, onBuilt);
    try {
      await declarations.#declare();
    } catch (error) {
      await declarations.close();
      throw error;
    }
    declarations.#renewal = declarations.#clean();
    return declarations;
  }

  /** Lets other processes drop what only this one declares. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#renewal;
    await this.#table.leave().catch(() => {});
  }

  async #declare(): Promise<void> {
    do {
      const own = await this.#table.register();
      this.slots.require(own, () => this.#renew());
      while (!this.#isClosed) {
        // Fails if another process has dropped a slot that it could not fill. This one then says why.
        if (!(await this.#reload())) break;
        const unfilled = await this.#table.claim(own);
        if (unfilled.length === 0) break;
        const claimed = unfilled.filter(({ isOwn }) => isOwn);
        if (claimed.length > 0) await this.#fill(claimed);
        else await Bun.sleep(lookEveryMs);
      }
    } while (!this.#isClosed && !(await this.#table.live()));
    await this.slots.reload(this.database);
  }

  #reload(): Promise<boolean> {
    const failed = (error: unknown) => {
      if (error instanceof StoreUnavailable) return false;
      throw error;
    };
    return this.slots.reload(this.database).then(() => true, failed);
  }

  async #fill(claimed: readonly { readonly slot: number; readonly filledTo: number; readonly lastId: number }[]): Promise<void> {
    const refusals: string[] = [];
    const broken: number[] = [];
    for (const resource of this.resources) {
      const unfilled = this.slots.of(resource).flatMap((slot) => {
        const state = claimed.find(({ slot: number }) => number === slot.number);
        return state ? [{ slot, filledTo: state.filledTo, lastId: state.lastId }] : [];
      });
      if (unfilled.length === 0) continue;
      const means = { lock: this.lock, tables: this.#tables, renew: () => this.#table.claim(claimed.map(({ slot }) => slot)) };
      const { lines, slots } = await fillSlots(this.database, means, resource, unfilled, this.onBuilt);
      refusals.push(...lines);
      broken.push(...slots);
    }
    if (refusals.length === 0) return;
    await this.#table.drop(broken);
    throw new Error(refusals.join("\n"));
  }

  #renew(): void {
    if (this.#isRenewalQueued) return;
    this.#isRenewalQueued = true;
    this.#renewal = this.#renewal.then(async () => {
      this.#isRenewalQueued = false;
      if (this.#isClosed) return;
      try {
        if (!(await this.#table.live())) await this.#declare();
        await this.#table.drop();
        await this.#clean();
      } catch {
        // The database is not available, or records break a declaration that others had dropped. Changes are refused until then.
      }
    });
  }

  #clean(): Promise<void> {
    return this.#table.clean(() => this.#isClosed).catch(() => {});
  }
}
