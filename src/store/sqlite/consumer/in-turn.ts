import type { Turns } from "../../../timing/turns";

/** A port whose methods return their values at once. */
export type Synchronous<Port> = {
  readonly [Name in keyof Port]: Port[Name] extends (...values: infer Values) => Promise<infer Value>
    ? (...values: Values) => Value
    : never;
};

/** Returns a port each of whose calls waits for its turn. */
export function inTurn<Port extends object>(turns: Turns, table: Synchronous<Port>): Port {
  const methods = Object.entries(table as Record<string, (...values: unknown[]) => unknown>);
  return Object.fromEntries(methods.map(([name, method]) => [name, (...values: unknown[]) => turns.run(() => method(...values))])) as Port;
}
