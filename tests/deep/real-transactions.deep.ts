// The transfers of docs/guide/transactions.md on a real server that is killed in the middle, again and again.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { docBlocks, fileOf } from "../support/doc-pages";
import { temporaryFolder } from "../support/folder";
import { type Api, endAll, environment, startApi } from "../support/processes";
import { copyProject } from "../support/project-copy";

setDefaultTimeout(120_000);

const accounts = 4;
const clients = 16;
const transfersEach = 25;
const kills = 5;

let copy: ReturnType<typeof temporaryFolder>;
let data: ReturnType<typeof temporaryFolder>;
beforeAll(async () => {
  copy = copyProject();
  data = temporaryFolder();
  for (const block of docBlocks("ts").filter(({ page }) => page === "docs/guide/transactions.md"))
    await Bun.write(join(copy.path, fileOf(block)), block.text);
  for (const name of ["account", "transfer"])
    await Bun.write(
      join(copy.path, `routes/${name}s.ts`),
      `import { crud } from "warren/crud";\nimport { ${name} } from "../src/domain/${name}";\n\nexport default crud(${name});\n`,
    );
});
afterAll(async () => {
  await endAll();
  copy.remove();
  data.remove();
});

interface Transfer {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly amount: number;
}

test("killed with -9 in the middle: each transfer is made once and as a whole, and is answered the same again", async () => {
  const options = { cwd: copy.path, env: environment(data.path) };
  let api: Promise<Api> = startApi(options);
  const { url } = await api;
  // The clients go on where the next server listens.
  options.env["PORT"] = new URL(url).port;
  const send = async (path: string, body: object, key: string) => {
    const headers = { "content-type": "application/json", "idempotency-key": key };
    return fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  };
  for (let n = 0; n < accounts; n += 1) expect((await send("/accounts", { owner: `owner ${n}` }, `account-${n}`)).status).toBe(201);

  let answered = 0;
  let killed = 0;
  const all = clients * transfersEach;
  const next = async (): Promise<void> => {
    answered += 1;
    if (killed === kills || answered < ((killed + 1) * all) / (kills + 2)) return;
    killed += 1;
    const dying = await api;
    api = dying.stop("SIGKILL").then(() => startApi(options));
  };
  /** Sends a transfer until it is answered. A transfer whose answer was lost is sent again with its key. */
  const transfer = async (from: number, to: number, key: string): Promise<Transfer | undefined> => {
    for (;;) {
      await api;
      const response = await send(`/accounts/${from}/transfer`, { to, amount: 1 }, key).catch(() => undefined);
      const text = await response?.text().catch(() => undefined);
      if (!response || text === undefined) continue;
      expect([201, 409]).toContain(response.status);
      await next();
      return response.status === 201 ? (JSON.parse(text) as Transfer) : undefined;
    }
  };
  const client = async (n: number): Promise<[string, number, number, Transfer][]> => {
    const made: [string, number, number, Transfer][] = [];
    for (let round = 0; round < transfersEach; round += 1) {
      const [from, to] = [1 + ((n + round) % accounts), 1 + ((n + round + 1) % accounts)];
      const key = `${n}-${round}`;
      const answer = await transfer(from, to, key);
      if (answer) made.push([key, from, to, answer]);
    }
    return made;
  };
  const made = (await Promise.all(Array.from({ length: clients }, (_, n) => client(n)))).flat();
  expect([killed, new Set(made.map(([, , , { id }]) => id)).size]).toEqual([kills, made.length]);

  await api;
  for (const [key, from, to, answer] of made.slice(0, 20))
    expect(await (await send(`/accounts/${from}/transfer`, { to, amount: 1 }, key)).json()).toEqual(answer as never);

  // The log has every transfer once, as a whole: at the end of each, the sum is what it was.
  const balances = new Map<number, number>();
  const logged = new Set<number>();
  let accountEvents = 0;
  for (let after = 0; ; ) {
    const page = (await (await fetch(`${url}/events?after=${after}&limit=200`)).json()) as {
      events: { position: number; event: { type: string; account?: { id: number; balance: number }; transfer?: Transfer } }[];
    };
    if (page.events.length === 0) break;
    for (const { position, event } of page.events) {
      const { type, account, transfer } = event;
      after = position;
      if (account) balances.set(account.id, account.balance);
      if (type === "account.updated") accountEvents += 1;
      if (!transfer) continue;
      expect(logged.has(transfer.id)).toBe(false);
      logged.add(transfer.id);
      expect([accountEvents, [...balances.values()].reduce((sum, each) => sum + each)]).toEqual([2 * logged.size, 100 * accounts]);
    }
  }
  expect([...logged].sort((a, b) => a - b)).toEqual(made.map(([, , , { id }]) => id).sort((a, b) => a - b));
  const { accounts: now } = (await (await fetch(`${url}/accounts`)).json()) as { accounts: { id: number; balance: number }[] };
  expect(new Map(now.map(({ id, balance }) => [id, balance]))).toEqual(balances);
});
