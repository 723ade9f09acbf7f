import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Identity } from "./answers";
import { ask, Refused, whenSignedOut } from "./api";
import { Confirm } from "./confirm";
import { Consumers } from "./consumers/page";
import { Contracts } from "./contracts/page";
import { DeadLetters } from "./dead-letters/page";
import { EventPage } from "./event/page";
import { Events } from "./events/page";
import { Frame } from "./frame";
import { type Place, usePlace } from "./hash";
import { Health } from "./health/page";
import { Overview } from "./overview/page";
import { Bare, Failed } from "./parts";
import { Data } from "./records/page";
import { Replays } from "./replays/page";
import { SignIn } from "./sign-in";
import { StatusProvider, useStatusStream } from "./status";
import { Topology } from "./topology/page";
import { Webhooks } from "./webhooks/page";

/** Who uses the page: `stranger` needs to sign in. */
type Session = Identity | "stranger" | Error | undefined;

export function App() {
  const [session, setSession] = useState<Session>();
  const load = () =>
    void ask<Identity>("/whoami").then(setSession, (error: Error) =>
      setSession(error instanceof Refused && error.problem.status === 401 ? "stranger" : error),
    );
  useEffect(() => {
    whenSignedOut(() => setSession("stranger"));
    load();
  }, []);
  if (session === undefined) return null;
  if (session === "stranger") return <SignIn onSignedIn={load} />;
  if (session instanceof Error) {
    return (
      <main id="page">
        <Bare title="Warren">
          <Failed error={session} onRetry={load} />
        </Bare>
      </main>
    );
  }
  return <Signed identity={session} />;
}

function Signed({ identity }: { identity: Identity }) {
  const { place, leaving } = usePlace();
  const live = useStatusStream();
  const [page] = place.parts;
  // Someone who reads with a keyboard or a screen reader begins at the new page.
  const [first] = useState(page);
  useEffect(() => {
    if (page !== first || document.activeElement !== document.body) document.getElementById("page")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [place.parts.join("/")]);
  return (
    <StatusProvider value={live}>
      <Frame identity={identity} place={place}>
        {shown(place, identity)}
        {leaving && (
          <Confirm title="Leave without saving?" act="Leave" keep="Stay" onConfirm={leaving.leave} onClose={leaving.stay}>
            <p class="soft">What you have changed here would be lost.</p>
          </Confirm>
        )}
      </Frame>
    </StatusProvider>
  );
}

function shown(place: Place, identity: Identity): ComponentChildren {
  const [page, name] = place.parts;
  if (page === "events" && name !== undefined) return <EventPage id={name} key={name} identity={identity} />;
  if (page === "events") return <Events place={place} />;
  if (page === "dead-letters") return <DeadLetters place={place} identity={identity} />;
  if (page === "consumers") return <Consumers place={place} identity={identity} />;
  if (page === "replays") return <Replays place={place} identity={identity} />;
  if (page === "webhooks") return <Webhooks />;
  if (page === "data") return <Data place={place} identity={identity} />;
  if (page === "topology") return <Topology />;
  if (page === "contracts") return <Contracts place={place} />;
  if (page === "health") return <Health identity={identity} />;
  return <Overview place={place} />;
}
