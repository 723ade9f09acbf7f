// Values that throw when they are inspected, and values that are not errors.
import { Reject, RetryAfter } from "warren/consumer";

/** A function that throws. */
export const refuse = () => {
  throw new Error("hostile");
};
/** A proxy that throws from every trap. */
const hostileHandler = new Proxy({}, { get: () => refuse });
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const withGetters = (target: object, ...names: PropertyKey[]) =>
  Object.defineProperties(target, Object.fromEntries(names.map((name) => [name, { get: refuse }])));

/** Values that a handler may throw, by name. */
export const thrownValues: [string, unknown][] = [
  ["null", null],
  ["undefined", undefined],
  ["a symbol", Symbol("s")],
  ["an object without a prototype", Object.create(null)],
  ["an object that becomes no text", { toString: refuse, valueOf: refuse, [Symbol.toPrimitive]: refuse }],
  ["an object with getters that throw", withGetters({}, "name", "message", "stack", "then", "constructor", "delayMs", Symbol.toStringTag)],
  ["an error with getters that throw", withGetters(new Error("x"), "name", "message", "stack", "constructor", "cause")],
  ["a rejection with getters that throw", withGetters(new Reject("x"), "name", "message", "stack")],
  ["a RetryAfter whose delay throws", withGetters(new RetryAfter(1), "delayMs")],
  ["a RetryAfter whose delay is not a number", Object.assign(new RetryAfter(1), { delayMs: "soon" })],
  ["a proxy that throws from every trap", new Proxy({}, hostileHandler)],
  ["a proxy of a function that throws from every trap", new Proxy(() => {}, hostileHandler)],
  ["a proxy of an error that throws from every trap", new Proxy(new Error("x"), hostileHandler)],
  ["a revoked proxy", revoked()],
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what a handler may throw
  ["a thenable that throws", { then: refuse }],
];
