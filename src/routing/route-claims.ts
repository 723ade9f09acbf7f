interface Answered {
  readonly method: string;
  readonly path: string;
}

interface Claim extends Answered {
  readonly file: string;
  /** Of a parameter. */
  readonly name?: string;
}

/**
 * What each route file answers. Elysia lets a later route take the place of an earlier one without a word, and does not
 * say which files disagree about the name of a parameter.
 */
export class RouteClaims {
  readonly #claims = new Map<string, Claim>();

  /** Adds what a file answers. Undefined: it fits with the others; else what does not. */
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
            `One parameter has two names: it is :${other.name} in ${other.method} ${other.path} of ${other.file}, ` +
            `and :${name} in ${method} ${path} of ${file}. Give it one name.`
          );
        }
      }
      const other = this.#claim(`route ${place}`, { file, method, path });
      if (other) {
        return `Two files answer ${method} ${path || "/"}: ${other.file} and ${file}. Take it out of one of them.`;
      }
    }
    return undefined;
  }

  /** Answers the claim of another file, if there is one. */
  #claim(key: string, claim: Claim): Claim | undefined {
    const other = this.#claims.get(key);
    if (!other) this.#claims.set(key, claim);
    return other?.file === claim.file ? undefined : other;
  }
}
