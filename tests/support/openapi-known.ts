import { checkOf, type JsonSchema } from "./json-schema";

/** Maximum number of values remembered per name. */
const most = 100;

/**
 * Remembers values from responses: IDs, queue names, cursors and entity tags. Requests can so address existing records without knowledge of
 * any resource: a parameter `id` below `/items` takes an `id` from a response of that path.
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

  /** Returns the nth value with this name, from the same folder of paths if there is one, else from any. */
  value(path: string, name: string, n: number): string | undefined {
    const own = this.#values.get(`${folderOf(path)} ${name}`);
    const values = own?.length ? own : [...this.#values].flatMap(([key, others]) => (key.endsWith(` ${name}`) ? others : []));
    return values[n % values.length];
  }

  etag(path: string): string | undefined {
    return this.#tags.get(path);
  }

  /** Replaces some members of a body by known values that the schema accepts. The bits of `n` select the members. */
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

/** Yields every text and number in a JSON value, with its member name. */
function* members(value: unknown, name = ""): Generator<[string, string]> {
  if (typeof value === "string" || typeof value === "number") yield [name, String(value)];
  else if (Array.isArray(value)) for (const one of value) yield* members(one, name);
  else if (value) for (const [key, one] of Object.entries(value)) yield* members(one, key);
}
