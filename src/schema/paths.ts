/** A value that is neither an object nor an array. */
export type Scalar = string | number | boolean;
/** The number of levels that remain below a level. Deeper paths would make error messages unreadable. */
type Below = [never, 0, 1, 2, 3];

/** Union of the paths in a record, such as `address.city` and `lines[].product`, down to four levels. */
export type Path<T, Levels extends number = 3> = [Levels] extends [never]
  ? never
  : { [Key in keyof T & string]: Key | PathInside<NonNullable<T[Key]>, Key, Levels> }[keyof T & string];

type PathInside<Value, Key extends string, Levels extends number> = Value extends readonly (infer Element)[]
  ? Element extends Scalar
    ? `${Key}[]`
    : `${Key}[].${Path<Element, Below[Levels]>}`
  : Value extends object
    ? `${Key}.${Path<Value, Below[Levels]>}`
    : never;

/** The type of the value at a path, without null. */
export type At<T, P extends string> = P extends keyof T
  ? NonNullable<T[P]>
  : P extends `${infer Key}[].${infer Rest}`
    ? At<ElementOf<T, Key>, Rest>
    : P extends `${infer Key}[]`
      ? ElementOf<T, Key>
      : P extends `${infer Key}.${infer Rest}`
        ? Key extends keyof T
          ? At<NonNullable<T[Key]>, Rest>
          : never
        : never;

type ElementOf<T, Key> = Key extends keyof T ? (NonNullable<T[Key]> extends readonly (infer Element)[] ? Element : never) : never;

/** Union of the paths whose value is of a type, such as `PathTo<Order, number>`. */
export type PathTo<T, Value> = { [P in Path<T>]: [At<T, P>] extends [never] ? never : At<T, P> extends Value ? P : never }[Path<T>];
/** The paths that lead to one value, and not into an array. */
export type OneValue<P extends string> = Exclude<P, `${string}[]${string}`>;
