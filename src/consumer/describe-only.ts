/** What the documentation says of a consumer: a part of its options. */
export interface DescribedConsumer {
  readonly queue?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly versions?: Readonly<Partial<Record<string, number>>>;
  readonly description?: string;
  readonly exactlyOnce?: boolean;
}

let listener: ((consumers: readonly DescribedConsumer[]) => void) | undefined;

/** From now on no consumer starts in this process: `told` gets the options of those that would. */
export function onlyLook(told: (consumers: readonly DescribedConsumer[]) => void): void {
  listener = told;
}

/** Whether this process only looks at consumers: its command line is not theirs. */
export function isOnlyLookedAt(): boolean {
  return listener !== undefined;
}

/** Whether the consumers of this process are only looked at. */
export function areLookedAt(consumers: readonly DescribedConsumer[]): boolean {
  listener?.(consumers);
  return listener !== undefined;
}
