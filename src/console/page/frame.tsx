import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Identity, Status } from "./answers";
import { signOut } from "./api";
import { GoTo, useGoToKey } from "./go-to";
import { linkTo, type Place } from "./hash";
import { Icon, type IconName, Mark } from "./icons";
import { mayChange } from "./mode";
import { useStatus } from "./status";
import { switchTheme } from "./theme";
import { clock, number } from "./words";

interface Entry {
  readonly page: string;
  readonly name: string;
  readonly icon: IconName;
  /** Title of the entries that begin here. */
  readonly head?: string;
}

const entries: readonly Entry[] = [
  { page: "overview", name: "Overview", icon: "overview" },
  { page: "events", name: "Events", icon: "events" },
  { page: "data", name: "Data", icon: "data" },
  { page: "consumers", name: "Consumers", icon: "queues", head: "Delivery" },
  { page: "dead-letters", name: "Dead letters", icon: "dead" },
  { page: "replays", name: "Replays", icon: "redrive" },
  { page: "webhooks", name: "Webhooks", icon: "webhooks" },
  { page: "topology", name: "Topology", icon: "topology", head: "System" },
  { page: "contracts", name: "Contracts", icon: "contracts" },
  { page: "health", name: "Health", icon: "health" },
];

/** The pages that a narrow screen has room for. The others are in "Go to…". */
const atThumb: ReadonlySet<string> = new Set(["overview", "events", "dead-letters"]);

/** The frame of every page: the places, and who is signed in. */
export function Frame({ identity, place, children }: { identity: Identity; place: Place; children: ComponentChildren }) {
  const [isGoing, setGoing] = useState(false);
  useGoToKey(() => setGoing(true));
  const [current = ""] = place.parts;
  const { status } = useStatus();
  const dead = status?.queues?.reduce((sum, { deadLetters }) => sum + deadLetters, 0) ?? 0;
  const link = ({ page, name, icon }: Entry) => (
    <li key={page}>
      <a href={linkTo([page])} aria-current={page === current ? "page" : undefined}>
        <Icon name={icon} />
        <span>{name}</span>
        {page === "dead-letters" && dead > 0 && (
          <span class="count">
            {dead > 9999 ? "9,999+" : number(dead)}
            <span class="hidden"> dead letters</span>
          </span>
        )}
      </a>
    </li>
  );
  const skip = (event: Event) => {
    event.preventDefault();
    document.getElementById("page")?.focus();
  };
  return (
    <>
      <div class="frame">
        <aside class="side" aria-label="Console">
          <a class="skip" href={location.hash || "#/"} onClick={skip}>
            Skip to the page
          </a>
          <a class="brand" href={linkTo(["overview"])}>
            <Mark /> Warren <small>{location.host}</small>
          </a>
          <button class="find" type="button" onClick={() => setGoing(true)}>
            <Icon name="find" /> Go to… <kbd>⌘K</kbd>
          </button>
          <nav aria-label="Places">
            <ul class="places">
              {entries.map((entry) => [
                entry.head && (
                  <li key={entry.head} class="head">
                    {entry.head}
                  </li>
                ),
                link(entry),
              ])}
              <li>
                <a href="../swagger">
                  <Icon name="api" />
                  <span>API</span>
                </a>
              </li>
            </ul>
          </nav>
          <Footer identity={identity} status={status} />
        </aside>
        <main id="page" tabIndex={-1}>
          <Lost />
          {children}
        </main>
      </div>
      <nav class="tabbar" aria-label="Places">
        <ul>
          {entries.filter(({ page }) => atThumb.has(page)).map(link)}
          <li>
            <button type="button" onClick={() => setGoing(true)}>
              <Icon name="find" />
              <span>Go to…</span>
            </button>
          </li>
          <li>
            <button type="button" onClick={switchTheme}>
              <Icon name="theme" />
              <span>Theme</span>
            </button>
          </li>
        </ul>
      </nav>
      {isGoing && <GoTo onClose={() => setGoing(false)} canSignOut={hasSession(identity)} />}
    </>
  );
}

function Footer({ identity, status }: { identity: Identity; status: Status | undefined }) {
  return (
    <footer>
      {status && <div>{transportText(status)}</div>}
      <div>
        {whoText(identity)}
        {!mayChange() && ", reads only"}
        <span class="at-end">
          <button class="button bare small" type="button" aria-label="Light or dark" title="Light or dark" onClick={switchTheme}>
            <Icon name="theme" />
          </button>
          {hasSession(identity) && (
            <button class="button bare small" type="button" aria-label="Sign out" title="Sign out" onClick={() => void signOut()}>
              <Icon name="leave" />
            </button>
          )}
        </span>
      </div>
    </footer>
  );
}

/** Returns whether somebody has signed in here. A token that expires is one that a proxy sends for them. */
function hasSession({ subject, expiresAt }: Identity): boolean {
  return subject !== null && expiresAt === null;
}

/** A token without a name has the name of its scope. */
function whoText({ subject, scopes }: Identity): string {
  if (subject === null) return "No token, this machine only";
  // A token of an issuer has other scopes, too.
  const scope = ["admin", "write", "read"].find((one) => scopes.includes(one)) ?? "no scope";
  return subject === scope ? `${scope.slice(0, 1).toUpperCase()}${scope.slice(1)} token` : `${subject}, ${scope}`;
}

function transportText({ transport, broker }: Status) {
  if (transport.name === "embedded") return <span class="state idle">Embedded, no RabbitMQ</span>;
  const isConnected = broker?.state === "connected";
  return (
    <span class={`state ${isConnected ? "good" : "bad"}`}>
      RabbitMQ {isConnected ? "connected" : broker?.state === "blocked" ? "blocked" : "away"}
    </span>
  );
}

/** Says that what is shown is not the present. */
function Lost() {
  const { connection, at } = useStatus();
  if (connection !== "lost") return null;
  return (
    <div class="lost" role="status">
      <span class="state bad">The service does not answer. Trying again.</span>
      {at && <span class="quiet">As of {clock(at).slice(0, 8)}</span>}
    </div>
  );
}
