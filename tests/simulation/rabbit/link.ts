import type { Process } from "../process";
import type { Lane, World } from "../world";

/** One direction of a connection. Frames arrive in order, after an arbitrary delay. */
export class Link implements Lane {
  /** Nothing arrives before this time. */
  stalledUntil = 0;
  readonly #frames: (() => void)[] = [];
  #isOpen = true;

  /** @param receiver Process whose code runs when something arrives; undefined for the broker. */
  constructor(
    readonly world: World,
    readonly receiver: Process | undefined,
    readonly isHeld: () => boolean = () => false,
  ) {
    world.lanes.add(this);
  }

  send(arrives: () => void): void {
    if (this.#isOpen) this.#frames.push(arrives);
  }

  /** Stops sending. Some of the frames in transit still arrive, followed by the end. */
  cut(end: () => void): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#frames.length = this.world.chance.below(this.#frames.length + 1);
    this.#frames.push(() => {
      this.world.lanes.delete(this);
      end();
    });
  }

  readyAt(): number {
    return this.#frames.length === 0 || this.isHeld() ? Number.POSITIVE_INFINITY : this.stalledUntil;
  }

  run(): void {
    const arrives = this.#frames.shift() as () => void;
    if (!this.receiver) arrives();
    else if (this.receiver.isAlive) this.world.enter(this.receiver, arrives);
    else if (this.#frames.length === 0) this.world.lanes.delete(this);
  }
}
