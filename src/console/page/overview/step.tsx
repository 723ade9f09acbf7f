import type { ComponentChildren } from "preact";
import { Icon } from "../icons";

interface StepProps {
  readonly number: number;
  readonly title: string;
  readonly isDone: boolean;
  /** True if a step before it has to be done first. */
  readonly isLater: boolean;
  readonly children: ComponentChildren;
}

export function Step({ number, title, isDone, isLater, children }: StepProps) {
  return (
    <li class={`step ${isDone ? "done" : isLater ? "later" : ""}`}>
      <span class="no">{isDone ? <Icon name="check" /> : number}</span>
      <div>
        <h2>
          {title}
          {isDone && <span class="hidden"> (done)</span>}
        </h2>
        {children}
      </div>
    </li>
  );
}
