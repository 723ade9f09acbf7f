import type { Identity, Readiness, Settings, Status } from "../answers";
import { Icon } from "../icons";
import { Needs } from "../overview/needs";
import { Bare, Failed, Notice } from "../parts";
import { useStatus } from "../status";
import { useAnswer, useRenewed } from "../use-answer";
import { useTitle } from "../use-title";
import { ProcessFacts, StoreFacts, TransportFacts } from "./facts";
import { SettingsTable } from "./settings";

const renewEveryMs = 5000;

/** The state of the service, its parts, and how it was started. */
export function Health({ identity }: { identity: Identity }) {
  useTitle("Health");
  const { status, refused } = useStatus();
  const ready = useRenewed<Readiness>("/health/ready", renewEveryMs);
  const maySee = identity.scopes.includes("admin") && identity.operator;
  const settings = useAnswer<Settings>(maySee ? "/status/settings" : undefined);
  if (!status) {
    return (
      <Bare title="Health">{refused ? <Failed error={refused} onRetry={() => location.reload()} /> : <Notice title="Loading…" />}</Bare>
    );
  }
  return (
    <>
      <header class="top">
        <h1>Health</h1>
        <div class="at-end">
          <State ready={ready.data} error={ready.error} />
        </div>
      </header>
      <div class="stack">
        <Problems status={status} ready={ready.data} error={ready.error} />
        <div class="thirds">
          <TransportFacts status={status} />
          <StoreFacts status={status} settings={settings.data?.settings} />
          <ProcessFacts status={status} versions={settings.data?.versions} />
        </div>
        {settings.data && <SettingsTable settings={settings.data.settings} />}
        {settings.error && <Failed error={settings.error} onRetry={settings.reload} />}
        {!maySee && <Notice title="Settings need a token with the scope admin.">They show how the service was started.</Notice>}
      </div>
    </>
  );
}

interface StateProps {
  readonly ready: Readiness | undefined;
  /** Why the answer did not come: the store cannot be written, or the service does not answer. */
  readonly error: Error | undefined;
}

function State({ ready, error }: StateProps) {
  if (error) return <span class="state bad">not ready</span>;
  if (!ready) return null;
  return <span class={`state ${ready.status === "ready" ? "good" : "warn"}`}>{ready.status}</span>;
}

/** Problems that need a person, and others that the check of readiness has found. */
function Problems({ status: { needs }, ready, error }: StateProps & { status: Status }) {
  const problems = error ? [error.message] : (ready?.problems ?? []);
  if (needs.length > 0) return <Needs needs={needs} />;
  if (problems.length === 0) return null;
  return (
    <section class="panel" aria-label="Problems">
      <ul class="needs">
        {problems.map((problem) => (
          <li key={problem} class="warn">
            <Icon name="dead" />
            <p>{problem}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
