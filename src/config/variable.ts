/** Returns the value of an environment variable without surrounding space, or undefined if it is not set or empty. */
export type ReadText = (name: string) => string | undefined;

/** Returns the value of an environment variable, or `fallback` if it is not set. Records a mistake if `parse` returns undefined for it. */
export type ReadVariable = <T>(name: string, fallback: T, parse: (text: string) => T | undefined, expected: string) => T;
