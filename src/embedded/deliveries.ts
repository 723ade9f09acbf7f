import type { Delivery } from "../delivery/delivery";
import type { Outcome } from "../delivery/outcome";
import type { Worker } from "../delivery/worker";
import { validTraceparent } from "../observe/traceparent";
import type { MessageOrigin } from "../observe/tracing";
import { type Lane, LaneLost, type LaneProgress, type Share } from "../store/consumer/lanes";
import type { ConsumerData, ConsumerStore } from "../store/consumer/store";
import type { ReplayMark } from "../store/replay";
import { type Kept, keepFailure } from "./keep-failure";
import type { LaneCursors } from "./lane-cursors";

/** Where an event comes from. */
export interface Place {
  readonly lane: Lane;
  /** Position in the consumer's own reading of the log. Undefined for an event that was kept or is replayed. */
  readonly position: number | undefined;
  /** True if the event is kept in the store, and so has to be removed. */
  readonly isKept: boolean;
  /** Removes a kept event from the store. */
  remove(own: ConsumerData): Promise<void>;
  /** Records that the event is settled, or is no longer with the worker. Called after the commit. */
  settle(): void;
  /** Keeps what the handler has not begun, in the transaction that saves the progress of its lane. */
  giveBack(own: ConsumerData): Promise<void>;
}

/** An event as the worker gets it. */
export type Message = Kept & Pick<Delivery, "failures" | "suspect" | "again">;

/** Events that are with the worker, and where they come from. */
export class Deliveries {
  readonly #places = new Map<Delivery, Place>();

  constructor(
    readonly worker: Worker,
    readonly store: ConsumerStore,
    readonly share: Share,
    readonly main: LaneCursors,
    readonly logId: string,
    readonly on: {
      /** Called when an event is settled. */
      settled(): void;
      /** Called when an event is kept for another attempt, with when that is due. */
      kept(dueAt: number): void;
      /** Called with lanes that another process has taken. */
      lost(lanes: readonly Lane[]): void;
    },
  ) {
    worker.beforeCommit = (own, deliveries) => this.#commit(own, deliveries);
  }

  get inHand(): number {
    return this.#places.size;
  }

  has(lane: Lane): boolean {
    return [...this.#places.values()].some((place) => place.lane === lane);
  }

  /** Passes an event to the worker. */
  hand(message: Message, place: Place): void {
    const delivery = new EmbeddedDelivery(this, message, place);
    this.#places.set(delivery, place);
    this.worker.take(delivery);
  }

  /** Applies the outcome of an event. */
  settle(delivery: EmbeddedDelivery, outcome: Outcome): Promise<void> | void {
    if (delivery.gone || (outcome.action === "ack" && !delivery.place.isKept)) return this.#leave(delivery, delivery.place);
    return this.#move(delivery, outcome);
  }

  /** Takes events of a lane back that the handler has not begun. */
  takeBack(lane: Lane): Place[] {
    return this.worker
      .giveBack((delivery) => this.#places.get(delivery)?.lane === lane)
      .flatMap((delivery) => {
        const place = this.#places.get(delivery);
        this.#places.delete(delivery);
        return place ?? [];
      });
  }

  /** Forgets the events of a lane that another process has. */
  forget(lane: Lane): void {
    for (const [delivery, place] of this.#places) if (place.lane === lane) this.#leave(delivery, place);
    this.worker.giveBack(({ gone }) => gone);
  }

  /** Returns whether this process still has a lane in the same epoch. */
  isOurs(lane: Lane): boolean {
    return this.main.of(lane.number)?.lane === lane && this.share.holds(lane);
  }

  /** Commits together that an event leaves its place, and where it goes. */
  async #move(delivery: EmbeddedDelivery, outcome: Outcome): Promise<void> {
    const { message, place } = delivery;
    if (outcome.action === "ack") await place.remove(this.store);
    else {
      try {
        const dueAt = await this.store.together(async (own) => {
          await place.remove(own);
          const dueAt = await keepFailure(own, message, outcome, this.worker.consumer);
          await this.#saveIn(own, [this.main.of(place.lane.number)?.progress]);
          return dueAt;
        });
        this.on.kept(dueAt);
      } catch (error) {
        // Another process handles the event again.
        if (!(error instanceof LaneLost)) throw error;
      }
    }
    this.#leave(delivery, place);
  }

  #leave(delivery: Delivery, place: Place): void {
    if (!this.#places.delete(delivery)) return;
    place.settle();
    this.on.settled();
  }

  /** Saves progress in the transaction that handles events, so that it is committed only if this process still has their lanes. */
  async #commit(own: ConsumerData, deliveries: readonly Delivery[]): Promise<() => void> {
    const settled = new Map<number, Set<number>>();
    for (const delivery of deliveries) {
      const { lane, position } = this.#places.get(delivery) ?? {};
      if (!lane) continue;
      const positions = settled.get(lane.number) ?? new Set();
      settled.set(lane.number, positions);
      if (position !== undefined) positions.add(position);
    }
    const progress = [...settled].map(([lane, positions]) => this.main.of(lane)?.progressWith(positions));
    const saved = await this.#saveIn(own, progress);
    return () => this.main.save(saved);
  }

  /** @throws {LaneLost} if another process has taken one of the lanes. */
  async #saveIn(own: ConsumerData, progress: readonly (LaneProgress | undefined)[]): Promise<LaneProgress[]> {
    const known = progress.filter((each) => each !== undefined);
    const lost = known.length < progress.length ? [] : await own.saveProgress(this.logId, known);
    this.on.lost(lost);
    if (known.length < progress.length || lost.length > 0) throw new LaneLost();
    return known;
  }
}

/** An event as the worker takes it. */
class EmbeddedDelivery implements Delivery {
  constructor(
    readonly deliveries: Deliveries,
    readonly message: Message,
    readonly place: Place,
  ) {}

  get body(): string {
    return this.message.body;
  }
  get failures(): number {
    return this.message.failures;
  }
  get suspect(): boolean {
    return this.message.suspect;
  }
  get again(): boolean {
    return this.message.again === true;
  }
  get replay(): ReplayMark {
    return this.message.replay;
  }
  get origin(): MessageOrigin {
    const { id, traceparent } = this.message;
    const { queue: destination, temporary } = this.deliveries.worker.consumer;
    return { system: "warren", destination, temporary, id, traceparent: validTraceparent(traceparent) };
  }
  get gone(): boolean {
    return !this.deliveries.isOurs(this.place.lane);
  }
  settle(outcome: Outcome): Promise<void> | void {
    return this.deliveries.settle(this, outcome);
  }
}
