/** Keyword in the schema of a parameter or body. Its value is the schema that the documentation shows instead. */
export const documentedAs = "x-documented-as";
