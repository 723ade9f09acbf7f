import { useLayoutEffect, useState } from "preact/hooks";
import { signIn } from "./api";
import { Mark } from "./icons";
import { useModal } from "./use-modal";

interface SignInProps {
  readonly onSignedIn: () => void;
}

/** The page of somebody who is not signed in. */
export function SignIn(props: SignInProps) {
  return (
    <main class="sign-in" id="page">
      <Form about="One of the tokens in API_TOKEN. The session ends after 12 hours." {...props} />
    </main>
  );
}

/** Asks for a token when the session has ended, and hides the page meanwhile, which stays as it is. */
export function SignInAgain(props: SignInProps) {
  const dialog = useModal();
  // The focus goes back to where it was.
  useLayoutEffect(() => () => dialog.current?.close(), []);
  return (
    <dialog
      class="sign-in"
      ref={dialog}
      aria-label="Sign in again"
      // The browser would close it at the second Esc whatever the page says, and the page would get the keys until it is open again.
      onKeyDown={(event) => event.key === "Escape" && event.preventDefault()}
      // There are other ways to close a dialog, such as the Back gesture of a phone.
      onCancel={(event) => event.preventDefault()}
      onClose={() => dialog.current?.showModal()}
    >
      <Form about="Your session has ended. Sign in to go on where you were." {...props} />
    </dialog>
  );
}

function Form({ about, onSignedIn }: SignInProps & { about: string }) {
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
        {mistake ?? about}
      </p>
      <button class="button main" type="submit" disabled={isBusy}>
        Sign in
      </button>
    </form>
  );
}
