/** A request as sent over the wire. */
export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

/** Returns a shell command that sends the same request. */
export function curlCommand({ method, url, headers, body }: SentRequest): string {
  const parts = ["curl -i", `-X ${method}`, quoted(url), ...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`)];
  if (!body) return parts.join(" ");
  // Otherwise curl would set the content type of a form.
  if (!headers.some(([name]) => name === "content-type")) parts.push("-H content-type:");
  return `printf ${quoted(escaped(body))} | ${parts.join(" ")} --data-binary @-`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Escapes bytes for printf(1): bytes other than plain text become octal numbers. Truncates a large body. */
function escaped(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, 4000);
  const text = Array.from(shown, (byte) =>
    byte >= 32 && byte < 127 && byte !== 37 && byte !== 92 ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`,
  ).join("");
  return shown.length === bytes.length ? text : `${text} (${bytes.length} bytes in all)`;
}
