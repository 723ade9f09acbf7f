// examples/shop, whose API and consumers die with kill -9 before and after each of their steps, and whose payment service fails at times:
// every order is confirmed or cancelled, nothing is sold twice, and nobody pays twice or for nothing.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, forEachEngine } from "../support/engines";
import { temporaryFolder } from "../support/folder";
import { freePort } from "../support/net";
import { startPaymentService } from "../support/payment-service";
import { endAll, eventually, run } from "../support/processes";
import { copyWithShop } from "../support/shop-copy";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(240_000);

const consumers = ["reserve-stock", "release-stock", "take-payments"];
const moments = ["before", "after"];

const lamp = { sku: "LAMP-1", title: "Desk lamp", price: 39.9, stock: 100 };
const rareLamp = { sku: "LAMP-2", title: "Rare lamp", price: 399, stock: 1 };
/** Which lamp each order is for, and the card that pays for it. */
const wishes = [
  { sku: "LAMP-1", card: "card_1" },
  { sku: "LAMP-2", card: "card_2" },
  { sku: "LAMP-1", card: undefined },
  { sku: "LAMP-2", card: "card_3" },
  { sku: "LAMP-1", card: "declined" },
];

interface Order {
  readonly id: number;
  readonly state: "open" | "confirmed" | "cancelled";
  readonly reserved: boolean;
  readonly payment: number | null;
  readonly lines: readonly { readonly product: number; readonly quantity: number }[];
}

interface Payment {
  readonly id: number;
  readonly order: number;
  readonly state: "requested" | "charged" | "declined" | "refunding" | "refunded";
  readonly key: string;
  readonly cents: number;
}

let copy: Awaited<ReturnType<typeof copyWithShop>>;
beforeAll(async () => {
  copy = await copyWithShop();
  for (const name of consumers) {
    const file = join(copy.path, `consumers/${name}.ts`);
    // Orders expire soon, and it is not the fault of an event that the process dies.
    const text = readFileSync(file, "utf8").replace('"30m"', '"3s"').replace("  events:", "  maxDeaths: 1000,\n  events:");
    await Bun.write(file, text);
  }
});
afterAll(() => copy.remove());

forEachEngine((placesIn) => {
  let folder: ReturnType<typeof temporaryFolder>;
  let service: ReturnType<typeof startPaymentService>;
  beforeEach(() => {
    folder = temporaryFolder();
    service = startPaymentService();
  });
  afterEach(async () => {
    await endAll();
    await service.stop();
    folder.remove();
  });

  test("every order ends in one of its two ends", async () => {
    const port = freePort();
    const env = { ...environmentOf(placesIn(folder.path)), PORT: String(port), PAYMENT_URL: service.url };
    const { post, list, get } = requestsTo(`http://127.0.0.1:${port}`);
    const orders = () => list<Order>("orders");
    const payments = () => list<Payment>("payments");
    const deaths = new Map<string, number>();
    let isOver = false;

    /** Starts a program again whenever it has died. It dies at its first step, then at its second, and so on. */
    async function keepDying(program: string): Promise<void> {
      for (let life = 0; !isOver; life += 1) {
        const moment = moments[life % moments.length] ?? "";
        const dies = { DIES: moment, DIES_ON: String(1 + Math.floor(life / moments.length)) };
        const args = ["--preload", join(copy.path, "tests/support/dies-at-a-step.ts"), program];
        const dying = run(args, { cwd: copy.path, env: { ...env, ...dies } });
        expect([program, await dying.exited, dying.stderr.slice(-5)]).toEqual([program, 137, expect.anything()]);
        deaths.set(`${program} ${moment}`, life);
      }
    }

    const dying = [keepDying("src/main.ts")];
    const products = new Map<string, number>();
    for (const product of [lamp, rareLamp]) products.set(product.sku, (await post("/products", product)).id);
    const { id: customer } = await post("/customers", { email: "ada@example.com", name: "Ada" });
    dying.push(...consumers.map((name) => keepDying(`consumers/${name}.ts`)));
    const placeOrder = async (sku: string, card: string | undefined) => {
      const { id } = await post("/orders", { customer, lines: [{ product: products.get(sku), quantity: 1 }] });
      if (card) await post(`/orders/${id}/pay`, { card });
      return id;
    };
    for (const { sku, card } of wishes) await placeOrder(sku, card);
    const isSettled = async () =>
      (await orders())?.every(({ state }) => state !== "open") &&
      (await payments())?.every(({ state }) => state !== "requested" && state !== "refunding");
    const hasSeenAll = () => consumers.every((name) => moments.every((moment) => deaths.has(`consumers/${name}.ts ${moment}`)));
    await eventually(async () => hasSeenAll() && (await isSettled()), "every order to end", 180_000);
    isOver = true;
    await endAll();
    await Promise.all(dying);

    // Whatever the last deaths have left is done, and the shop works on: the consumers get the events of these orders after all others.
    run(["src/main.ts"], { cwd: copy.path, env });
    for (const name of consumers) run([`consumers/${name}.ts`], { cwd: copy.path, env });
    const [paid, unpaid] = [await placeOrder("LAMP-1", "card_4"), await placeOrder("LAMP-1", undefined)];
    await eventually(isSettled, "the last orders to end");
    const ended = (await orders()) ?? [];
    expect(ended.filter(({ id }) => id === paid || id === unpaid).map(({ state }) => state)).toEqual(["confirmed", "cancelled"]);
    for (const name of consumers) expect(await get(`/dead-letters/${name}`)).toMatchObject({ deadLetters: [] });
    expect(await get("/timers")).toMatchObject({ timers: [] });

    // The stock and what is sold add up.
    for (const { sku, stock } of [lamp, rareLamp]) {
      const sold = ended.filter(({ state, lines }) => state === "confirmed" && lines[0]?.product === products.get(sku));
      expect(await get(`/products/${products.get(sku)}`)).toMatchObject({ stock: stock - sold.length });
    }
    expect(ended.filter(({ state, reserved }) => reserved !== (state === "confirmed"))).toEqual([]);

    // So do the payments, here and at the service: a confirmed order is paid once, and all other money is given back.
    const made = (await payments()) ?? [];
    for (const { id, state } of ended) {
      const charged = made.filter((payment) => payment.order === id && payment.state === "charged");
      expect([id, charged.length]).toEqual([id, state === "confirmed" ? 1 : 0]);
    }
    const keysOf = (...states: Payment["state"][]) => made.filter(({ state }) => states.includes(state)).map(({ key }) => key);
    expect([...service.charges.keys()].sort()).toEqual(keysOf("charged", "refunded").sort());
    expect([...service.refunds].sort()).toEqual(keysOf("refunded").sort());
  });
});

/** Returns requests to an API that may be dead, or die before it responds. */
function requestsTo(url: string) {
  let keys = 0;
  const ask = async <T>(path: string, init?: RequestInit): Promise<T | undefined> => {
    const response = await fetch(url + path, init).catch(() => undefined);
    const text = await response?.text().catch(() => undefined);
    if (!response || text === undefined || response.status >= 500) return undefined;
    // An order that has expired cannot be paid for.
    if (!response.ok && response.status !== 409) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  return {
    get: <T>(path: string) => ask<T>(path),
    list: async <T>(plural: string) => (await ask<Record<string, T[]>>(`/${plural}?limit=100`))?.[plural],
    /** Sends a request until there is a response. */
    post(path: string, body: object): Promise<{ readonly id: number }> {
      keys += 1;
      const headers = { "content-type": "application/json", "idempotency-key": `key-${keys}` };
      return eventually(() => ask<{ id: number }>(path, { method: "POST", headers, body: JSON.stringify(body) }), path);
    },
  };
}
