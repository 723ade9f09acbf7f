// What a consumer of either transport promises, in so few words that it can be seen to be right.

/** What is wrong with a handler, for the events of one item. `late`: only the first attempt fails, with a RetryAfter. */
export type Fault = "error" | "reject" | "late";
type Health = Fault | "well";

const reasonOf: Readonly<Record<Health, string | undefined>> = {
  error: "attempts-exhausted",
  reject: "rejected",
  late: undefined,
  well: undefined,
};

/** What is seen of an event when nothing is on its way any more. */
export interface Observed {
  /** With `exactlyOnce` its effects that stand in the consumer's file, else the calls of the handler that ended well. */
  readonly handled: number;
  /** Why each of its dead letters is one. */
  readonly dead: readonly string[];
}

interface Range {
  readonly least: number;
  readonly most: number;
}

/** One event of the log that the consumer wants, and its copies: the first, and one for each replay. */
class ModelEvent {
  handled = 0;
  dead = 0;
  /** Of `dead`, those of a forced replay. Where copies of both kinds were on their way it cannot be told. */
  deadForced = 0;
  plain = 1;
  forced = 0;
  /** How often it may come once more than it was sent, because a consumer died that had begun it. */
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

  /** @param begun how often a consumer that has died had begun it: each copy that was in hand comes again. */
  die(begun: number, health: Health): void {
    this.spare += Math.max(1, Math.min(begun, this.#copies));
    this.meet(health);
  }

  /** Notes how the handler is while this event is on its way. */
  meet(health: Health): void {
    this.#healths.add(health);
  }

  redrive(health: Health): void {
    const { dead, deadForced } = this;
    this.dead = this.deadForced = 0;
    this.send("plain", dead - deadForced, health);
    this.send("forced", deadForced, health);
  }

  /** Compares with what the model allows; answers what is wrong. Then takes it for what is so. */
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
  /** With `exactlyOnce`, an effect that stands absorbs every copy that is not forced. */
  get #isDone(): boolean {
    return this.handled > 0;
  }
  get #alwaysFails(): boolean {
    return [...this.#healths].every((health) => reasonOf[health] !== undefined);
  }
  get #neverFails(): boolean {
    return [...this.#healths].every((health) => reasonOf[health] === undefined);
  }

  /** Ways to end: each copy has one, unless an effect absorbs it. */
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

/** The whole of it: a consumer that runs or does not, a handler that may be ill, and events with their copies. */
export class DeliveryModel {
  isRunning = true;
  /** Ids of items that exist. */
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

  /** Undefined heals. */
  setFault(subject: number, fault: Fault | undefined): void {
    if (fault) this.#faults.set(subject, fault);
    else this.#faults.delete(subject);
    for (const event of this.events.values()) {
      if (event.subject === subject && event.isPending) event.meet(this.#healthOf(subject));
    }
  }

  /** The consumer died, after it had begun these events. */
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

  /** Answers all that is not as it has to be. */
  settle(seen: ReadonlyMap<string, Observed>): string[] {
    const unknown = [...seen.keys()].filter((id) => !this.events.has(id)).map((id) => `event ${id} was never published, or is not wanted`);
    const nothing: Observed = { handled: 0, dead: [] };
    return [...unknown, ...[...this.events.values()].flatMap((event) => event.settle(seen.get(event.id) ?? nothing, this.exactlyOnce))];
  }

  #healthOf(subject: number): Health {
    return this.#faults.get(subject) ?? "well";
  }
}
