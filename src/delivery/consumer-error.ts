/** Thrown for invalid consumer options. The message says which values are valid. */
export class ConsumerError extends Error {
  override readonly name = "ConsumerError";
}
