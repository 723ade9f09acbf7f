import { useEffect, useRef, useState } from "preact/hooks";
import type { Identity } from "./answers";
import { ask, Refused, whenSessionEnds } from "./api";

/** Who uses the page: `stranger` needs to sign in, and an error says why that is not known. Undefined at first. */
export type User = Identity | "stranger" | Error | undefined;

export interface Session {
  readonly user: User;
  /** True if the session of the user has ended. The page stays, and what it asks waits. */
  readonly isExpired: boolean;
  /** Asks who the user is, at first and after signing in. */
  readonly load: () => void;
}

/** Follows who is signed in. */
export function useSession(): Session {
  const [user, setUser] = useState<User>();
  const [isExpired, setExpired] = useState(false);
  const known = useRef<User>(undefined);
  const renewal = useRef<PromiseWithResolvers<void> | undefined>(undefined);
  const become = (next: User) => {
    known.current = next;
    setUser(next);
    setExpired(false);
    renewal.current?.resolve();
    renewal.current = undefined;
  };
  const load = () =>
    void ask<Identity>("/whoami").then(become, (error: Error) => {
      // The page that is there is worth another try.
      if (renewal.current) return;
      become(error instanceof Refused && error.problem.status === 401 ? "stranger" : error);
    });
  useEffect(() => {
    whenSessionEnds({
      onSignedOut: () => become("stranger"),
      onExpired() {
        if (typeof known.current !== "object" || known.current instanceof Error) return undefined;
        renewal.current ??= Promise.withResolvers();
        setExpired(true);
        return renewal.current.promise;
      },
    });
    load();
  }, []);
  return { user, isExpired, load };
}
