import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Identity } from "./answers";
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
import { useSession } from "./session";
import { SignIn, SignInAgain } from "./sign-in";
import { StatusProvider, useStatusStream } from "./status";
import { Topology } from "./topology/page";
import { Webhooks } from "./webhooks/page";

export function App() {
  const { user, isExpired, load } = useSession();
  if (user === undefined) return null;
  if (user === "stranger") return <SignIn onSignedIn={load} />;
  if (user instanceof Error) {
    return (
      <main id="page">
        <Bare title="Warren">
          <Failed error={user} onRetry={load} />
        </Bare>
      </main>
    );
  }
  // Somebody else sees nothing of what the one before had on the page.
  const who = JSON.stringify([user.subject, user.scopes]);
  return (
    <>
      <Signed key={who} identity={user} />
      {isExpired && <SignInAgain onSignedIn={load} />}
    </>
  );
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
  if (page === "data") return <Data place={place} identity={identity} />;
  if (page === "dead-letters") return <DeadLetters place={place} identity={identity} />;
  if (page === "consumers") return <Consumers place={place} identity={identity} />;
  if (page === "replays") return <Replays place={place} identity={identity} />;
  if (page === "webhooks") return <Webhooks />;
  if (page === "topology") return <Topology />;
  if (page === "contracts") return <Contracts place={place} />;
  if (page === "health") return <Health identity={identity} />;
  return <Overview place={place} />;
}
