import { useModal } from "../use-modal";

const keys = [
  ["/", "search"],
  ["j", "next dead letter"],
  ["k", "the one before"],
  ["x", "choose it"],
  ["Esc", "close it"],
  ["⌘K", "go to a page, a queue or an event"],
] as const;

export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useModal();
  return (
    <dialog class="confirm" ref={dialog} aria-labelledby="keys" onClose={onClose}>
      <h2 id="keys">Keys</h2>
      <dl class="facts">
        {keys.map(([key, what]) => [
          <dt key={`${key} key`}>
            <kbd>{key}</kbd>
          </dt>,
          <dd key={key}>{what}</dd>,
        ])}
      </dl>
      <div class="row">
        <button class="button" type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </dialog>
  );
}
