/** Supported content codings, best compression first. */
export const codings = ["zstd", "gzip"] as const;
export type Coding = (typeof codings)[number];

/**
 * Returns the coding that a client prefers per its `Accept-Encoding` (RFC 9110, section 12.5.3). For equal weights, this is
 * the first of {@link codings}. Returns undefined if the client prefers an uncompressed body or has no preference.
 */
export function acceptedCoding(header: string | null): Coding | undefined {
  if (header === null) return undefined;
  const weights = new Map<string, number>();
  for (const member of header.toLowerCase().split(",")) {
    const [coding = "", ...parameters] = member.split(";").map((part) => part.trim());
    weights.set(coding === "x-gzip" ? "gzip" : coding, weightOf(parameters));
  }
  let best: Coding | undefined;
  let most = 0;
  for (const coding of codings) {
    const weight = weights.get(coding) ?? weights.get("*") ?? 0;
    if (weight > most) [best, most] = [coding, weight];
  }
  return most >= (weights.get("identity") ?? 0) ? best : undefined;
}

/** Returns the weight of a coding. A malformed weight counts as 0: every client can read an uncompressed body. */
function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  if (weight === undefined) return 1;
  return /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight.slice(2)) : 0;
}
