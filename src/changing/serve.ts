import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Resource } from "../schema/resource";
import { errorText } from "../store/error-text";
import type { Store } from "../store/store";
import { accessFileOf } from "./access-file";
import { OperationAnswers } from "./answers";
import { readOperations } from "./operations";

/** Maximum length of the path of a Unix socket, in bytes. Linux allows 107, macOS 103. */
const longestSocketPath = 100;

/** Answers the operations of processes on this machine that change records. */
export class ChangesServer {
  readonly #answers: OperationAnswers;
  readonly #secret = Buffer.from(crypto.randomUUID());
  readonly #folder: string | undefined;
  readonly #server: Bun.Server<unknown>;

  /**
   * Listens on a Unix socket, whose address and secret are in a file beside the database that only its owner may read.
   *
   * @param file the database.
   */
  constructor(
    store: Pick<Store, "changing" | "timers" | "schedules">,
    resources: readonly Resource[],
    readonly file: string,
  ) {
    this.#answers = new OperationAnswers(store, resources);
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
    if (given.length !== this.#secret.length || !crypto.timingSafeEqual(given, this.#secret)) return new Response(null, { status: 401 });
    try {
      return Response.json(await this.#answers.to(readOperations(await request.text())));
    } catch (error) {
      return Response.json(errorText(error), { status: 400 });
    }
  }
}
