interface Place {
  readonly fixed: Map<string, Place>;
  parameter?: Place;
  /** The pattern that ends here. */
  pattern?: string;
  /** The pattern that matches any rest of the path from here on. */
  wildcard?: string;
}

/** Finds the pattern of a route (`/items/:id`, `/files/*`) that matches a URL. */
export class PathPatterns {
  readonly #root: Place = { fixed: new Map() };

  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) this.#add(pattern);
  }

  /** Returns the pattern of a URL, or undefined if none matches. A trailing slash makes no difference. */
  of(url: string): string | undefined {
    const start = url.indexOf("/", url.indexOf("//") + 2) + 1;
    const query = url.indexOf("?", start);
    let end = query < 0 ? url.length : query;
    if (end > start && url.charCodeAt(end - 1) === slash) end -= 1;
    return find(this.#root, url, start, end);
  }

  #add(pattern: string): void {
    let place = this.#root;
    for (const part of pattern.split("/").filter(Boolean)) {
      if (part.startsWith("*")) {
        place.wildcard = pattern;
        return;
      }
      let next = part.startsWith(":") ? place.parameter : place.fixed.get(part);
      if (!next) {
        next = { fixed: new Map() };
        if (part.startsWith(":")) place.parameter = next;
        else place.fixed.set(part, next);
      }
      place = next;
    }
    place.pattern = pattern;
  }
}

const slash = 47;

/** Matches the path from `start` on. Fixed parts take precedence over parameters, and parameters over wildcards. */
function find(place: Place, url: string, start: number, end: number): string | undefined {
  if (start >= end) return place.pattern ?? place.wildcard;
  let next = url.indexOf("/", start);
  if (next < 0 || next > end) next = end;
  const fixed = place.fixed.get(url.slice(start, next));
  const parameter = place.parameter;
  return (fixed && find(fixed, url, next + 1, end)) ?? (parameter && find(parameter, url, next + 1, end)) ?? place.wildcard;
}
