import { Kind, type TSchema, TypeRegistry } from "@sinclair/typebox";

/** TypeBox's registry belongs to the whole process: the name is one that no other module gives. */
export const decimalKind = "warren.Decimal";

/**
 * A schema of numbers, with `multipleOf` checked as the decimals that JSON has: 9.99 is a multiple of 0.01, although the
 * remainder of their doubles is not 0.
 *
 * @throws {TypeError} for a `multipleOf` that is not greater than 0.
 */
export function asDecimal(schema: Limits): TSchema {
  const { multipleOf: factor } = schema;
  if (factor === undefined) return schema;
  if (!(factor > 0 && factor < Number.POSITIVE_INFINITY)) throw new TypeError(`has the multipleOf ${factor}; it has to be greater than 0`);
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

/** Describes a multiple within limits. */
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

/** Whether a number is a multiple of another one, both as they are written in decimal digits. */
export function isMultiple(value: number, factor: number): boolean {
  // The remainder of doubles is exact, and these stand for themselves.
  if (Number.isSafeInteger(value) && Number.isSafeInteger(factor)) return value % factor === 0;
  const [a, b] = [decimalOf(value), decimalOf(factor)];
  const exponent = Math.min(a.exponent, b.exponent);
  return scaled(a, exponent) % scaled(b, exponent) === 0n;
}

interface Decimal {
  readonly digits: bigint;
  /** Of ten. */
  readonly exponent: number;
}

/** The shortest digits that stand for a double: those that JSON has. */
function decimalOf(value: number): Decimal {
  const [mantissa = "", exponent = "0"] = String(value).split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to);
}
