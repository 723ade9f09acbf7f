import { expect, test } from "bun:test";
import { type TestRequests, testService } from "warren/testing";
import { startPaymentService } from "./payment-service";

const lamp = { sku: "LAMP-1", title: "Desk lamp", price: 39.9, stock: 3 };
const ada = { email: "ada@example.com", name: "Ada" };

/** Starts a shop with three lamps and a customer, Ada. */
async function openShop() {
  const payments = startPaymentService();
  const service = await testService(); // API, log and all consumers, in memory
  const [admin, customer, stranger] = [service.as("admin"), service.as("ada"), service.as("eve")];
  await admin.post("/products", lamp);
  await customer.post("/customers", ada);
  const close = async () => {
    await service.stop();
    await payments.stop();
  };
  return { service, payments, admin, ada: customer, eve: stranger, [Symbol.asyncDispose]: close };
}

/** Orders lamps. Resolves with the path of the order. */
async function orderLamps(customer: TestRequests, quantity: number): Promise<string> {
  const { id } = await customer.post("/orders", { customer: 1, lines: [{ product: 1, quantity }] });
  return `/orders/${id}`;
}

test("an order is confirmed when its stock is reserved and its payment is made", async () => {
  await using shop = await openShop();
  const order = await orderLamps(shop.ada, 2);
  await shop.service.settled();
  expect(await shop.ada.get(order)).toMatchObject({ state: "open", reserved: true });
  expect(await shop.ada.get("/products/1")).toMatchObject({ stock: 1 });

  await shop.ada.post(`${order}/pay`, { card: "card_1" });
  await shop.service.settled();
  expect(await shop.ada.get(order)).toMatchObject({ state: "confirmed" });
  expect(await shop.ada.get("/payments/1")).toMatchObject({ state: "charged", cents: 7980 });
  await shop.service.clock.advance("31m");
  expect(await shop.ada.get(order)).toMatchObject({ state: "confirmed" });
  expect(await shop.ada.status("POST", `${order}/pay`, { card: "card_1" })).toBe(409);
});

test("an order that nobody pays for gives its stock back", async () => {
  await using shop = await openShop();
  const order = await orderLamps(shop.ada, 2);
  await shop.service.clock.advance("31m");
  expect(await shop.ada.get(order)).toMatchObject({ state: "cancelled" });
  expect(await shop.ada.get("/products/1")).toMatchObject({ stock: 3 });
  expect(await shop.ada.status("POST", `${order}/pay`, { card: "card_1" })).toBe(409);
});

test("of two orders for the last lamps, one gets them, and the other its money back", async () => {
  await using shop = await openShop();
  const orders = [await orderLamps(shop.ada, 2), await orderLamps(shop.ada, 2)];
  await Promise.all(orders.map((order) => shop.ada.status("POST", `${order}/pay`, { card: "card_1" })));
  await shop.service.settled();
  const states = await Promise.all(orders.map(async (order) => (await shop.ada.get(order))["state"]));
  expect(states.sort()).toEqual(["cancelled", "confirmed"]);
  expect(await shop.ada.get("/products/1")).toMatchObject({ stock: 1 });
  expect(shop.payments.charges() - shop.payments.refunds()).toBe(1);
});

test("a payment that is made too late is refunded", async () => {
  await using shop = await openShop();
  const order = await orderLamps(shop.ada, 2);
  shop.payments.trouble.isDown = true;
  await shop.ada.post(`${order}/pay`, { card: "card_1" });
  await shop.service.clock.advance("31m");
  expect(await shop.ada.get(order)).toMatchObject({ state: "cancelled" });
  expect(await shop.ada.get("/payments/1")).toMatchObject({ state: "requested" });

  shop.payments.trouble.isDown = false;
  await shop.service.clock.advance("2m");
  expect(await shop.ada.get("/payments/1")).toMatchObject({ state: "refunded" });
  expect(await shop.ada.get("/products/1")).toMatchObject({ stock: 3 });
  expect([shop.payments.charges(), shop.payments.refunds()]).toEqual([1, 1]);
});

test("a customer whose card is declined may pay with another", async () => {
  await using shop = await openShop();
  const order = await orderLamps(shop.ada, 2);
  await shop.ada.post(`${order}/pay`, { card: "declined" });
  await shop.service.settled();
  expect(await shop.ada.get("/payments/1")).toMatchObject({ state: "declined" });
  expect(await shop.ada.get(order)).toMatchObject({ state: "open", payment: null });
  await shop.ada.post(`${order}/pay`, { card: "card_1" });
  await shop.service.settled();
  expect(await shop.ada.get(order)).toMatchObject({ state: "confirmed", payment: 2 });
});

test("it is time to count yesterday's sales, also after a weekend", async () => {
  await using shop = await openShop();
  await shop.service.clock.advance("3d");
  expect((await shop.service.events("schedule.*")).at(-1)).toMatchObject({ schedule: { name: "daily-sales" } });
});

test("nobody else sees an order, and only an admin changes products", async () => {
  await using shop = await openShop();
  const order = await orderLamps(shop.ada, 1);
  expect(await shop.eve.status("GET", order)).toBe(404);
  expect(await shop.eve.status("POST", `${order}/pay`, { card: "card_1" })).toBe(404);
  expect(await shop.eve.status("POST", "/orders", { customer: 1, lines: [{ product: 1, quantity: 1 }] })).toBe(422);
  expect(await shop.admin.get(order)).toMatchObject({ account: "ada" });
  expect(await shop.ada.status("PATCH", "/products/1", { price: 1 })).toBe(403);
});

test("an order names what exists, and nobody deletes what is ordered", async () => {
  await using shop = await openShop();
  expect(await shop.ada.status("POST", "/orders", { customer: 1, lines: [{ product: 7, quantity: 1 }] })).toBe(422);
  expect(await shop.ada.status("POST", "/orders", { customer: 1, lines: [{ product: 1, quantity: 1 }], paid: true })).toBe(422);
  await orderLamps(shop.ada, 1);
  expect(await shop.admin.status("DELETE", "/products/1")).toBe(409);
});

test("an e-mail address and a SKU are taken once", async () => {
  await using shop = await openShop();
  expect(await shop.eve.status("POST", "/customers", { ...ada, email: "ADA@example.com" })).toBe(409);
  expect(await shop.admin.status("POST", "/products", lamp)).toBe(409);
});

test("customers find products", async () => {
  await using shop = await openShop();
  await shop.admin.post("/products", { sku: "DESK-1", title: "Desk", price: 250, stock: 1 });
  const found = async (query: string) => {
    const { products } = await shop.eve.get(`/products?${query}`);
    return products.map(({ sku }) => sku);
  };
  expect(await found("search=desk")).toEqual(["DESK-1", "LAMP-1"]);
  expect(await found("sort=price")).toEqual(["LAMP-1", "DESK-1"]);
  expect(await found("maxPrice=100")).toEqual(["LAMP-1"]);
  expect(await found("sku=DESK-1")).toEqual(["DESK-1"]);
});
