import { useEffect, useState } from "preact/hooks";
import { wouldLose } from "./unsaved";

/** A place in the console, as the part of the URL after `#`. A proxy's path before it then needs no configuration. */
export interface Place {
  /** Parts of the path, decoded: `#/dead-letters/crm` is `["dead-letters", "crm"]`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = "", search] = hash.replace(/^#/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { parts: parts.length > 0 ? parts : ["overview"], query: new URLSearchParams(search) };
}

/** Returns the link to a place. Undefined and empty values of the query are left out. */
export function linkTo(parts: readonly string[], query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const search = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  return `#/${parts.map(encodeURIComponent).join("/")}${search}`;
}

/** Goes to a place. `replace` leaves no step in the browser's history. */
export function go(link: string, { replace = false } = {}): void {
  if (replace) {
    history.replaceState(null, "", link);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = link;
}

/** The place that is shown. */
export interface ShownPlace {
  readonly place: Place;
  /** Undefined unless the URL has another place, for which something unsaved would be lost. */
  readonly leaving: { readonly stay: () => void; readonly leave: () => void } | undefined;
}

/** Follows the URL, but not before somebody has agreed to lose what is unsaved. */
export function usePlace(): ShownPlace {
  const [{ shown, next }, setHashes] = useState({ shown: location.hash, next: location.hash });
  useEffect(() => {
    const read = () => {
      const now = location.hash;
      setHashes(({ shown: before }) => ({ shown: wouldLose() ? before : now, next: now }));
    };
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  const place = placeOf(shown);
  if (next === shown) return { place, leaving: undefined };
  return { place, leaving: { stay: () => go(shown), leave: () => setHashes({ shown: next, next }) } };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
