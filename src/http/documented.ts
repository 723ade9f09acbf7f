/** Keyword of a parameter's schema: what the documentation shows in its place. */
export const documentedAs = "x-documented-as";
