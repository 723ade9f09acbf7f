/** Returns a text without U+0000, which PostgreSQL does not take, so that different texts stay different. */
export function plainText(text: string): string {
  return text.includes("\0") || text.includes("\\") ? text.replaceAll("\\", "\\\\").replaceAll("\0", "\\0") : text;
}
