import { plant } from "./plant";

plant("store/sqlite/store.ts", [
  '    this.#events.append(resource, "created", stored, now, context);\n',
  '    setTimeout(() => this.#commits.run(() => this.#events.append(resource, "created", stored, now, context)), 20);\n',
]);
