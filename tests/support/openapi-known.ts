import { checkOf, type JsonSchema } from "./json-schema";

/** Of each name, the values that are remembered. */
const most = 100;

/**
 * What answers have told so far: ids, names of queues, places of pages, entity tags. So requests hit what is there, though
 * nothing is known here of any resource: a parameter `id` below `/items` takes what an answer from there called `id`.
 */
export class Known {
  readonly #values = new Map<string, string[]>();
  readonly #tags = new Map<string, string>();

  learn(path: string, body: unknown, etag: string | null): void {
    if (etag) this.#tags.set(path, etag);
    const folder = folderOf(path);
    for (const [name, value] of members(body)) {
      const values = this.#values.get(`${folder} ${name}`) ?? [];
      if (values.includes(value)) continue;
      if (values.length === most) values.shift();
      this.#values.set(`${folder} ${name}`, [...values, value]);
    }
  }

  forget(path: string, name: string, value: string): void {
    const key = `${folderOf(path)} ${name}`;
    this.#values.set(
      key,
      (this.#values.get(key) ?? []).filter((other) => other !== value),
    );
  }

  /** The nth value of this name, from the same folder of paths if there is one, else from any. */
  value(path: string, name: string, n: number): string | undefined {
    const own = this.#values.get(`${folderOf(path)} ${name}`);
    const values = own?.length ? own : [...this.#values].flatMap(([key, others]) => (key.endsWith(` ${name}`) ? others : []));
    return values[n % values.length];
  }

  etag(path: string): string | undefined {
    return this.#tags.get(path);
  }

  /** A body with some of its members as they are known, as far as the schema takes them; the bits of `n` say which. */
  put(path: string, schema: JsonSchema, body: unknown, n: number): unknown {
    if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
    let result = body as Record<string, unknown>;
    for (const [index, [name, member]] of Object.entries(schema.properties ?? {}).entries()) {
      if (!((n >> index) & 1)) continue;
      const [one, several] = [this.value(path, name, n), this.value(path, name.replace(/s$/, ""), n)];
      const value = [one, Number(one), [several]].find((candidate) => checkOf(member)(candidate) === undefined);
      const changed = { ...result, [name]: value };
      if (value !== undefined && checkOf(schema)(changed) === undefined) result = changed;
    }
    return result;
  }
}

function folderOf(path: string): string {
  return path.split("/")[1] ?? "";
}

/** Every text and number in a JSON value, with the name of the member that it is. */
function* members(value: unknown, name = ""): Generator<[string, string]> {
  if (typeof value === "string" || typeof value === "number") yield [name, String(value)];
  else if (Array.isArray(value)) for (const one of value) yield* members(one, name);
  else if (value) for (const [key, one] of Object.entries(value)) yield* members(one, key);
}
