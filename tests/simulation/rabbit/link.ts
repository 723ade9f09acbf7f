import type { Process } from "../process";
import type { Lane, World } from "../world";

/** One way of a connection: what is sent arrives in order, at some time. */
export class Link implements Lane {
  /** Nothing arrives before this time. */
  stalledUntil = 0;
  readonly #frames: (() => void)[] = [];
  #isOpen = true;

  /** @param receiver whose code runs when something arrives; undefined: the broker's. */
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

  /** Nothing more can be sent. Some of what is on its way still arrives, and then the end. */
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
