import { existsSync, readFileSync } from "node:fs";
import { readConfig } from "../../../src/config/config";
import { loadCatalogue } from "../../../src/project/resources";
import { consumersFolder } from "../../../src/store/consumer/folder";
import type { ConsumerStores } from "../../../src/store/consumer/stores";
import { consumerStores } from "../../../src/store/open";
import { ConsumerFiles } from "../../../src/store/sqlite/consumer/files";
import type { Account, ConsumerRecord, Handled, Logged, Transfer } from "./history";
import type { ClusterSystem } from "./system";

/** The data that a run has stored, and the work of its consumers. */
export class ClusterRecords {
  readonly log: Logged[] = [];
  consumers: ConsumerRecord[] = [];
  #position = 0;
  /** Where the consumers may keep what they have done. */
  readonly #places: readonly ConsumerStores[];

  constructor(readonly system: ClusterSystem) {
    this.#places = this.#openPlaces();
  }

  /** Reads the log and the work of the consumers. Resolves with their number so far. */
  async read(): Promise<number> {
    await this.#readLog();
    const { roles } = this.system;
    this.consumers = await Promise.all(
      [...new Map(roles.map((role) => [role.queue, role])).values()].map(async ({ queue, once }) => ({
        name: queue,
        exactlyOnce: once,
        ordered: roles.filter((role) => role.queue === queue).length === 1,
        disorders: this.system.disorders.get(queue) ?? [],
        handled: once ? await this.#effectsOf(queue) : this.#linesOf(queue),
      })),
    );
    return this.consumers.reduce((sum, { handled }) => sum + handled.length, this.log.length);
  }

  /** Returns the number of events in the log that the reader or a consumer has yet to get. */
  missing(): number {
    const got = [this.system.reader?.events ?? [], ...this.consumers.map(({ handled }) => handled.map(({ id }) => id))];
    return got.reduce((sum, ids) => {
      const known = new Set(ids);
      return sum + this.log.filter(({ id }) => !known.has(id)).length;
    }, 0);
  }

  async accounts(): Promise<Account[]> {
    return (await this.#rows("accounts")).map(({ id, version, json }) => accountOf({ ...JSON.parse(json), id, version }));
  }

  async transfers(): Promise<Transfer[]> {
    return (await this.#rows("transfers")).map(({ id, version, json }) => transferOf({ ...JSON.parse(json), id, version }));
  }

  #rows(table: string): Promise<{ id: number; version: number; json: string }[]> {
    return this.system.schema.evaluate(`SELECT id::int4, version, json FROM ${table} ORDER BY id`);
  }

  async #readLog(): Promise<void> {
    const rows = await this.system.schema.evaluate<{ position: string; id: string; type: string; subject: string; body: string }>(
      `SELECT position, id, type, subject, body FROM events WHERE position > ${this.#position} ORDER BY position`,
    );
    for (const { position, id, type, subject, body } of rows) {
      const { account, transfer } = JSON.parse(body) as { account?: Account; transfer?: Transfer };
      const version = (account ?? transfer)?.version ?? 0;
      const record = { ...(account && { account: accountOf(account) }), ...(transfer && { transfer: transferOf(transfer) }) };
      this.log.push({ id, type, subject: Number(subject), version, ...record });
      this.#position = Number(position);
    }
  }

  #linesOf(queue: string): Handled[] {
    const file = this.system.recordFileOf(queue);
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
    return lines.filter(Boolean).map((line) => {
      const [id = "", type = "", ...numbers] = line.split(" ");
      const [subject = 0, version = 0, at = 0, pid = 0, attempt = 0] = numbers.map(Number);
      return { id, type, subject, version, at, pid, attempt };
    });
  }

  /** Reads the effects from the database, and from files of the processes, where none should be. */
  async #effectsOf(queue: string): Promise<Handled[]> {
    await loadCatalogue();
    const effects: Handled[] = [];
    for (const stores of this.#places) {
      const tables = await stores.tables(queue);
      const isThere = await tables?.has("effects");
      if (tables && isThere) effects.push(...(await tables.all<Handled>("SELECT * FROM effects")));
      await tables?.close();
    }
    return effects.sort((one, other) => one.at - other.at);
  }

  #openPlaces(): ConsumerStores[] {
    const { schema, roles } = this.system;
    const config = readConfig({ isTerminal: false, listens: false, environment: { DATABASE_URL: schema.url } });
    return [consumerStores(config), ...roles.map(({ name }) => new ConsumerFiles(consumersFolder(this.system.dataDirOf(name))))];
  }

  async close(): Promise<void> {
    for (const place of this.#places) await place.close();
  }
}

function accountOf({ id, version, code, owner, balance }: Account): Account {
  return { id, version, code, owner, balance };
}

function transferOf({ id, version, from, to, amount, note }: Transfer): Transfer {
  return { id, version, from, to, amount, note };
}
