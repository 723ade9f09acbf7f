/** The options of a consumer that its documentation shows. */
export interface DescribedConsumer {
  readonly queue?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly versions?: Readonly<Partial<Record<string, number>>> | undefined;
  readonly schedule?: string | undefined;
  readonly timeZone?: string | undefined;
  readonly description?: string;
  readonly exactlyOnce?: boolean;
}

let listener: ((consumers: readonly DescribedConsumer[]) => void) | undefined;

/** Stops this process from starting consumers. `told` is called with the options of those that would start. */
export function onlyLook(told: (consumers: readonly DescribedConsumer[]) => void): void {
  listener = told;
}

/** Returns whether this process only inspects consumers. Its command line is then not theirs. */
export function isOnlyLookedAt(): boolean {
  return listener !== undefined;
}

/** Returns whether consumers are only inspected. If so, passes their options on. */
export function areLookedAt(consumers: readonly DescribedConsumer[]): boolean {
  listener?.(consumers);
  return listener !== undefined;
}
