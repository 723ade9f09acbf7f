/** Parses a whole number of up to 16 digits. Returns undefined for any other text, or if it is not from `least` to `most`. */
export function parseWholeNumber(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}
