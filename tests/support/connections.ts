import { Database } from "bun:sqlite";

/** Runs `open` and returns the connections that it made to this file, to query settings that apply per connection. */
export function connectionsOf(file: string, open: () => void): Database[] {
  const connections = new Set<Database>();
  const { run } = Database.prototype;
  Database.prototype.run = function (this: Database, ...args: Parameters<typeof run>) {
    if (this.filename === file) connections.add(this);
    return run.apply(this, args);
  } as typeof run;
  try {
    open();
  } finally {
    Database.prototype.run = run;
  }
  return [...connections];
}
