import { useState } from "preact/hooks";
import { signIn } from "./api";
import { Mark } from "./icons";

export function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const [token, setToken] = useState("");
  const [mistake, setMistake] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const refused = await signIn(token.trim());
    setBusy(false);
    setMistake(refused);
    if (refused === undefined) onSignedIn();
  };
  return (
    <main class="sign-in" id="page">
      <form class="panel" onSubmit={submit}>
        <h1 class="brand">
          <Mark /> Warren
        </h1>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="current-password"
          required
          value={token}
          aria-invalid={mistake !== undefined}
          aria-describedby="about-token"
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <p id="about-token" class={mistake === undefined ? "quiet" : "mistake"} role={mistake === undefined ? undefined : "alert"}>
          {mistake ?? "One of the tokens in API_TOKEN. The session ends after 12 hours."}
        </p>
        <button class="button main" type="submit" disabled={isBusy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
