import type { DeadLetter, DeadLetters } from "../delivery/dead-letters";
import { EmbeddedDeadLetters } from "../embedded/dead-letters";
import { counted, number } from "../observe/amounts";
import { printable, tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import type { Catalogue } from "../schema/catalogue";
import { tombstone } from "../schema/erasure";
import { parseEvent, type Unreadable, unreadableReasons } from "../schema/event";
import type { ConsumerStores } from "../store/consumer/stores";
import type { LogFollower } from "../store/log-follower";
import { allDeadLetters } from "./all-dead-letters";
import { paint, width } from "./output";
import { ProgressReport } from "./progress";
import { table } from "./table";
import { existingLog, openDeadLetters, withTransport } from "./transport";

/** Events that cannot be read for the same reason. */
interface Group {
  readonly type: string;
  readonly reason: Unreadable;
  readonly detail: string;
  /** Place of the first of these events. */
  readonly first: string;
  count: number;
}

const batch = 1000;

/**
 * Reports which events in the log, and which dead letters on the reachable transports, the current consumers could not read. Dead letters
 * that were already unreadable are reported but do not count as a failure.
 *
 * @returns Whether all events and dead letters can be read, except for those.
 */
export async function checkStored(): Promise<boolean> {
  const catalogue = await loadCatalogue();
  let isWell = true;
  const checkDead = async (deadLetters: DeadLetters, place: string) => {
    for (const { queue, count } of await deadLetters.queues()) {
      if (count > 0) isWell = (await checkDeadLetters(deadLetters, queue, place, catalogue)) && isWell;
    }
  };
  const checkEmbedded = (consumers: ConsumerStores) => checkDead(new EmbeddedDeadLetters(consumers), `in ${consumers.shown}`);
  await withTransport(
    async (reached) => {
      const log = await existingLog(reached.config);
      try {
        isWell = await checkLog(log, reached.config.database.shown, catalogue);
      } finally {
        log.close();
      }
      await checkEmbedded(reached.consumers);
      if (reached.unreachable) tell(`${reached.unreachable.message} Its dead letters were not checked.`);
      else if (reached.broker) await checkDead(await openDeadLetters(reached), reached.place);
    },
    { evenIfUnreachable: true },
  );
  return isWell;
}

async function checkLog(log: LogFollower, database: string, catalogue: Catalogue): Promise<boolean> {
  const groups = new Groups();
  const progress = new ProgressReport("event");
  const end = await log.end();
  let [looked, position] = [0, 0];
  for (;;) {
    const entries = (await log.read(position, batch)).filter((entry) => entry.position <= end);
    const last = entries.at(-1);
    if (!last) break;
    for (const { type, body, position } of entries) {
      if (type === tombstone) continue;
      const parsed = parseEvent(body, catalogue);
      if (!parsed.ok) groups.add(type, parsed, `position ${position}`);
    }
    looked += entries.length;
    position = last.position;
    progress.update(end > 0 ? position / end : 1, looked);
  }
  progress.end();
  groups.print(`${counted(looked, "event")} in the log of ${database}`);
  return groups.count === 0;
}

async function checkDeadLetters(deadLetters: DeadLetters, queue: string, place: string, catalogue: Catalogue): Promise<boolean> {
  const groups = new Groups();
  let [looked, uncertain, known] = [0, 0, 0];
  for await (const dead of allDeadLetters(deadLetters, queue, batch * 10)) {
    looked += 1;
    const body = wholeBody(dead);
    const parsed = body === undefined ? undefined : parseEvent(body, catalogue);
    if (!parsed) uncertain += 1;
    else if (!parsed.ok) {
      groups.add(dead.type ?? "", parsed, `id ${dead.id}`);
      if (unreadableReasons.some((reason) => reason === dead.reason)) known += 1;
    }
  }
  groups.print(`${counted(looked, "dead letter")} of "${printable(queue)}" ${place}`);
  if (uncertain > 0) console.log(`  ${counted(uncertain, "dead letter")} could not be checked: too long.`);
  if (known > 0) console.log(`  ${number(known)} of these were already unreadable.`);
  return groups.count === known;
}

/** Returns the body as text, or undefined if it was truncated. */
function wholeBody({ body, bodyEncoding, bodyBytes }: DeadLetter): string | undefined {
  if (bodyEncoding === "json") return JSON.stringify(body);
  const text = String(body);
  return bodyEncoding === "text" && Buffer.byteLength(text) < bodyBytes ? undefined : text;
}

class Groups {
  readonly #groups = new Map<string, Group>();

  get count(): number {
    return [...this.#groups.values()].reduce((sum, { count }) => sum + count, 0);
  }

  add(type: string, { reason, detail }: { reason: Unreadable; detail: string }, first: string): void {
    const key = `${type} ${reason} ${detail}`;
    const group = this.#groups.get(key) ?? { type, reason, detail, first, count: 0 };
    group.count += 1;
    this.#groups.set(key, group);
  }

  print(what: string): void {
    if (this.count === 0) {
      console.log(`${what}: all can be read.`);
      return;
    }
    console.log(`${what}: ${number(this.count)} cannot be read.`);
    const columns = [{ title: "COUNT", align: "right" as const }, ...["TYPE", "REASON", "FIRST", "WHY"].map((title) => ({ title }))];
    const rows = [...this.#groups.values()].map(({ count, type, reason, first, detail }) =>
      [number(count), type, reason, first, detail].map(printable),
    );
    console.log(table(columns, rows, paint, width));
  }
}
