// Model of a consumer's guarantees on either transport, small enough to be verified by reading.

/** Fault of a handler for the events of one item. `late`: only the first attempt fails, with a RetryAfter. */
export type Fault = "error" | "reject" | "late";
type Health = Fault | "well";

const reasonOf: Readonly<Record<Health, string | undefined>> = {
  error: "attempts-exhausted",
  reject: "rejected",
  late: undefined,
  well: undefined,
};

/** Observation of an event when nothing is in transit any more. */
export interface Observed {
  /** With `exactlyOnce`, the number of its effects in the consumer's file; otherwise the number of successful handler calls. */
  readonly handled: number;
  /** Reason of each of its dead letters. */
  readonly dead: readonly string[];
}

interface Range {
  readonly least: number;
  readonly most: number;
}

/** One event of the log that the consumer wants, with its copies: the original, and one per replay. */
class ModelEvent {
  handled = 0;
  dead = 0;
  /** Number of dead letters in `dead` from a forced replay. Uncertain while copies of both kinds are in transit. */
  deadForced = 0;
  plain = 1;
  forced = 0;
  /** Number of possible extra deliveries, because a consumer that had begun the event died. */
  spare = 0;
  #wasForced = false;
  #mixed = false;
  readonly #healths = new Set<Health>();
  readonly #reasons = new Set<string>();

  constructor(
    readonly id: string,
    readonly subject: number,
    health: Health,
  ) {
    this.#healths.add(health);
  }

  get isPending(): boolean {
    return this.plain + this.forced + this.spare > 0;
  }

  send(kind: "plain" | "forced", count: number, health: Health): void {
    if (count === 0) return;
    this[kind] += count;
    if (kind === "forced") this.#wasForced = true;
    this.meet(health);
  }

  /** @param begun Number of times that the dead consumer had begun the event. Each copy in progress is delivered again. */
  die(begun: number, health: Health): void {
    this.spare += Math.max(1, Math.min(begun, this.#copies));
    this.meet(health);
  }

  /** Records the handler's health while this event is pending. */
  meet(health: Health): void {
    this.#healths.add(health);
  }

  redrive(health: Health): void {
    const { dead, deadForced } = this;
    this.dead = this.deadForced = 0;
    this.send("plain", dead - deadForced, health);
    this.send("forced", deadForced, health);
  }

  /** Compares an observation with what the model allows, and returns the differences. Then adopts the observation. */
  settle(seen: Observed, exactlyOnce: boolean): string[] {
    const handled = seen.handled - this.handled;
    const dead = seen.dead.length - this.dead;
    for (const health of this.isPending ? this.#healths : []) {
      const reason = reasonOf[health];
      if (reason) this.#reasons.add(reason);
    }
    const { plain, forced, spare } = this;
    const wrong = [
      ...outside("handled", handled, this.#handledRange(exactlyOnce)),
      ...outside("new dead letters", dead, this.#deadRange(exactlyOnce)),
      ...outside("handled or a new dead letter", handled + dead, this.#endsRange(exactlyOnce)),
      ...seen.dead.filter((reason) => !this.#reasons.has(reason)).map((reason) => `is a dead letter because "${reason}"`),
    ].map(
      (what) =>
        `event ${this.id} of item ${this.subject} (${JSON.stringify({ plain, forced, spare, healths: [...this.#healths] })}) ${what}`,
    );

    if (dead > 0 && forced > 0 && (plain > 0 || spare > 0)) this.#mixed = true;
    if (forced > 0 && plain === 0) this.deadForced += dead;
    this.handled = seen.handled;
    this.dead = seen.dead.length;
    if (this.dead === 0) this.#reasons.clear();
    this.plain = this.forced = this.spare = 0;
    this.#healths.clear();
    return wrong;
  }

  get #copies(): number {
    return this.plain + this.forced;
  }
  get #leastForced(): number {
    return this.#mixed ? 0 : this.forced;
  }
  get #mostForced(): number {
    if (this.#mixed) return this.#copies + this.spare;
    return this.forced + (this.#wasForced ? this.spare : 0);
  }
  /** With `exactlyOnce`, a committed effect absorbs every copy that is not forced. */
  get #isDone(): boolean {
    return this.handled > 0;
  }
  get #alwaysFails(): boolean {
    return [...this.#healths].every((health) => reasonOf[health] !== undefined);
  }
  get #neverFails(): boolean {
    return [...this.#healths].every((health) => reasonOf[health] === undefined);
  }

  /** Returns the possible number of outcomes: one per copy, unless an effect absorbs the copy. */
  #endsRange(exactlyOnce: boolean): Range {
    const most = this.#copies + this.spare;
    if (!exactlyOnce) return { least: this.#copies, most };
    if (this.#isDone) return { least: this.#leastForced, most: this.#mostForced };
    const least = this.#alwaysFails ? this.#copies : Math.max(Math.min(1, this.#copies), this.#leastForced);
    return { least, most };
  }

  #handledRange(exactlyOnce: boolean): Range {
    const ends = this.#endsRange(exactlyOnce);
    if (this.#alwaysFails) return { least: 0, most: 0 };
    const most = exactlyOnce ? Math.min(ends.most, this.#mostForced + (this.#isDone ? 0 : 1)) : ends.most;
    return { least: this.#neverFails ? ends.least : 0, most };
  }

  #deadRange(exactlyOnce: boolean): Range {
    if (this.#neverFails) return { least: 0, most: 0 };
    const ends = this.#endsRange(exactlyOnce);
    return { least: this.#alwaysFails ? ends.least : 0, most: ends.most };
  }
}

function outside(what: string, value: number, { least, most }: Range): string[] {
  return value >= least && value <= most ? [] : [`${what} ${value} times, and not ${least} to ${most}`];
}

/** The whole model: a consumer that runs or not, a handler with possible faults, and events with their copies. */
export class DeliveryModel {
  isRunning = true;
  /** IDs of existing items. */
  items: number[] = [];
  readonly events = new Map<string, ModelEvent>();
  readonly #faults = new Map<number, Fault>();

  constructor(readonly exactlyOnce: boolean) {}

  get isSettled(): boolean {
    return ![...this.events.values()].some((event) => event.isPending);
  }
  get dead(): number {
    return [...this.events.values()].reduce((sum, { dead }) => sum + dead, 0);
  }

  publish(id: string, subject: number): void {
    this.events.set(id, new ModelEvent(id, subject, this.#healthOf(subject)));
  }

  /** Sets a fault; undefined removes it. */
  setFault(subject: number, fault: Fault | undefined): void {
    if (fault) this.#faults.set(subject, fault);
    else this.#faults.delete(subject);
    for (const event of this.events.values()) {
      if (event.subject === subject && event.isPending) event.meet(this.#healthOf(subject));
    }
  }

  /** Records that the consumer died after it had begun these events. */
  crash(begun: ReadonlyMap<string, number>): void {
    this.isRunning = false;
    for (const [id, count] of begun) {
      const event = this.events.get(id);
      event?.die(count, this.#healthOf(event.subject));
    }
  }

  replay(force: boolean): void {
    for (const event of this.events.values()) event.send(force ? "forced" : "plain", 1, this.#healthOf(event.subject));
  }

  redrive(): void {
    for (const event of this.events.values()) event.redrive(this.#healthOf(event.subject));
  }

  discard(): void {
    for (const event of this.events.values()) event.dead = event.deadForced = 0;
  }

  /** Returns every difference between the observations and the model. */
  settle(seen: ReadonlyMap<string, Observed>): string[] {
    const unknown = [...seen.keys()].filter((id) => !this.events.has(id)).map((id) => `event ${id} was never published, or is not wanted`);
    const nothing: Observed = { handled: 0, dead: [] };
    return [...unknown, ...[...this.events.values()].flatMap((event) => event.settle(seen.get(event.id) ?? nothing, this.exactlyOnce))];
  }

  #healthOf(subject: number): Health {
    return this.#faults.get(subject) ?? "well";
  }
}
