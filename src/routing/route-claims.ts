interface Answered {
  readonly method: string;
  readonly path: string;
}

interface Claim extends Answered {
  readonly file: string;
  /** The parameter's name, if this claim is for a parameter. */
  readonly name?: string;
}

/**
 * Records the methods and paths of each route file, to find conflicts. Elysia silently replaces an earlier route by a later
 * one, and its error about two names of one parameter does not name the files.
 */
export class RouteClaims {
  readonly #claims = new Map<string, Claim>();

  /** Adds the routes of a file. Returns undefined if they fit with the others, or else a message that describes the conflict. */
  add(file: string, routes: readonly Answered[]): string | undefined {
    for (const { method, path } of routes) {
      let place = method;
      for (const part of path.split("/").filter(Boolean)) {
        const name = /^:(\w+)/.exec(part)?.[1];
        place += name ? "/:" : `/${part}`;
        if (!name) continue;
        const other = this.#claim(`parameter ${place}`, { file, method, path, name });
        if (other && other.name !== name) {
          return (
            `One path parameter has two names: :${other.name} in ${other.method} ${other.path} of ${other.file}, ` +
            `and :${name} in ${method} ${path} of ${file}. Use the same name in both.`
          );
        }
      }
      const other = this.#claim(`route ${place}`, { file, method, path });
      if (other) {
        return `Two files define ${method} ${path || "/"}: ${other.file} and ${file}. Remove it from one of them.`;
      }
    }
    return undefined;
  }

  /** Records a claim. Returns the claim of another file on the same key, if there is one. */
  #claim(key: string, claim: Claim): Claim | undefined {
    const other = this.#claims.get(key);
    if (!other) this.#claims.set(key, claim);
    return other?.file === claim.file ? undefined : other;
  }
}
