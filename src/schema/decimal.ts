import { Kind, type TSchema, TypeRegistry } from "@sinclair/typebox";

/** TypeBox kind of these schemas. Its registry is shared by the whole process, so the name must be unique. */
export const decimalKind = "warren.Decimal";

/**
 * Returns a schema of numbers that checks `multipleOf` on the decimal digits in JSON. 9.99 is a multiple of 0.01, although the
 * remainder of their doubles is not 0. Returns the given schema if it has no `multipleOf`.
 *
 * @throws {TypeError} if `multipleOf` is not greater than 0.
 */
export function asDecimal(schema: Limits): TSchema {
  const { multipleOf: factor } = schema;
  if (factor === undefined) return schema;
  if (!(factor > 0 && factor < Number.POSITIVE_INFINITY)) throw new TypeError(`has the multipleOf ${factor}; use a number greater than 0`);
  return { ...schema, [Kind]: decimalKind };
}

interface Limits extends TSchema {
  readonly type?: string;
  readonly multipleOf?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** Returns the error message for a value that does not match such a schema. */
export function expectedDecimal({ type, multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Limits): string {
  const limits = [
    minimum !== undefined && `at least ${minimum}`,
    exclusiveMinimum !== undefined && `more than ${exclusiveMinimum}`,
    maximum !== undefined && `at most ${maximum}`,
    exclusiveMaximum !== undefined && `less than ${exclusiveMaximum}`,
  ].filter(Boolean);
  return [`Expected ${type ?? "number"} that is a multiple of ${multipleOf}`, ...limits].join(" and ");
}

TypeRegistry.Set<Limits>(decimalKind, (schema, value) => {
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  const { type, multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  return (
    (type !== "integer" || Number.isInteger(value)) &&
    (minimum === undefined || value >= minimum) &&
    (maximum === undefined || value <= maximum) &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum) &&
    (exclusiveMaximum === undefined || value < exclusiveMaximum) &&
    (multipleOf === undefined || isMultiple(value, multipleOf))
  );
});

/** Returns whether a number is a multiple of another, both taken as written in decimal digits. */
export function isMultiple(value: number, factor: number): boolean {
  // For safe integers the remainder is exact.
  if (Number.isSafeInteger(value) && Number.isSafeInteger(factor)) return value % factor === 0;
  const [a, b] = [decimalOf(value), decimalOf(factor)];
  const exponent = Math.min(a.exponent, b.exponent);
  return scaled(a, exponent) % scaled(b, exponent) === 0n;
}

interface Decimal {
  readonly digits: bigint;
  /** Exponent to base ten. */
  readonly exponent: number;
}

/** Returns the shortest decimal that represents a double, as JSON.stringify writes it. */
function decimalOf(value: number): Decimal {
  const [mantissa = "", exponent = "0"] = String(value).split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to);
}
