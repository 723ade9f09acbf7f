import { useEffect, useState } from "preact/hooks";
import type { Identity } from "../answers";
import { send } from "../api";
import { mayChange as consoleMayChange } from "../mode";

/** Returns the methods of a path that this session may use. None until the API has said it. */
export function useMethods(path: string | undefined, { scopes }: Identity): ReadonlySet<string> {
  const [methods, setMethods] = useState<ReadonlySet<string>>(new Set());
  const mayChange = scopes.includes("write") && consoleMayChange();
  useEffect(() => {
    setMethods(new Set());
    if (path === undefined || !mayChange) return;
    const leaving = new AbortController();
    send(path, { method: "OPTIONS", signal: leaving.signal }).then(
      ({ headers }) => setMethods(new Set((headers.get("allow") ?? "").split(/,\s*/))),
      () => {},
    );
    return () => leaving.abort();
  }, [path, mayChange]);
  return methods;
}
