import { timingSafeEqual } from "node:crypto";
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Resource } from "../schema/resource";
import { errorText } from "../store/error-text";
import type { Store } from "../store/store";
import { accessFileOf } from "./access-file";
import { type Operation, type OperationAnswer, planOf, readOperations } from "./operations";

/** Maximum length of the path of a Unix socket, in bytes. Linux allows 107, macOS 103. */
const longestSocketPath = 100;

/** Answers the operations of processes on this machine that change records. */
export class ChangesServer {
  readonly #resources: ReadonlyMap<string, Resource>;
  readonly #secret = Buffer.from(crypto.randomUUID());
  readonly #folder: string | undefined;
  readonly #server: Bun.Server<unknown>;

  /**
   * Listens on a Unix socket, whose address and secret are in a file beside the database that only its owner may read.
   *
   * @param file the database.
   */
  constructor(
    readonly store: Pick<Store, "changing" | "timers">,
    resources: readonly Resource[],
    readonly file: string,
  ) {
    this.#resources = new Map(resources.map((resource) => [resource.name, resource]));
    let socket = `${file}.sock`;
    if (Buffer.byteLength(socket) > longestSocketPath) {
      this.#folder = mkdtempSync(join(tmpdir(), "warren-"));
      socket = join(this.#folder, "changes.sock");
    }
    // What an earlier process has left behind that was killed.
    rmSync(socket, { force: true });
    this.#server = Bun.serve({ unix: socket, fetch: (request) => this.#answer(request) });
    chmodSync(socket, 0o600);
    const access = accessFileOf(file);
    const written = join(dirname(access), `.${crypto.randomUUID()}`);
    writeFileSync(written, JSON.stringify({ socket, secret: this.#secret.toString() }), { mode: 0o600 });
    renameSync(written, access);
  }

  async stop(): Promise<void> {
    rmSync(accessFileOf(this.file), { force: true });
    await this.#server.stop(true);
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answer(request: Request): Promise<Response> {
    const given = Buffer.from(request.headers.get("authorization") ?? "");
    if (given.length !== this.#secret.length || !timingSafeEqual(given, this.#secret)) return new Response(null, { status: 401 });
    try {
      const operations = readOperations(await request.text());
      return Response.json(await Promise.all(operations.map((operation) => this.#outcome(operation))));
    } catch (error) {
      return Response.json(errorText(error), { status: 400 });
    }
  }

  async #outcome(operation: Operation): Promise<OperationAnswer> {
    try {
      return { value: (await this.#run(operation)) ?? null };
    } catch (error) {
      return { error: errorText(error) };
    }
  }

  #run(operation: Operation): Promise<unknown> {
    const { changing: engine, timers } = this.store;
    if ("plan" in operation) return engine[operation.ask](planOf(operation.plan, (name) => this.#resource(name)));
    if (operation.ask === "cancelTimer") return timers.cancel(operation.number);
    const resource = this.#resource(operation.resource);
    if (operation.ask === "record") return engine.newest(resource, operation.id);
    if (operation.ask === "key") return engine.newestByKey(resource, operation.name, operation.values);
    if (operation.ask === "list") return engine.newestList(resource, operation.where);
    return engine.reserveId(resource);
  }

  #resource(name: string): Resource {
    const resource = this.#resources.get(name);
    if (resource) return resource;
    throw new TypeError(`The service has no resource "${name}". Start the API and this consumer from the same version of the project.`);
  }
}
