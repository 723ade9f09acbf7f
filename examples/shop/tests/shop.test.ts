import { expect, test } from "bun:test";
import { type TestService, testService } from "warren/testing";

const lamp = { sku: "LAMP-1", title: "Desk lamp", price: 39.9, stock: 3 };
const ada = { email: "ada@example.com", name: "Ada" };

/** Creates a customer and a lamp. */
async function openShop(): Promise<TestService> {
  const shop = await testService();
  await shop.post("/customers", ada);
  await shop.post("/products", lamp);
  return shop;
}

/** Orders lamps. Resolves with the path of the order. */
async function orderLamps(shop: TestService, quantity: number): Promise<string> {
  const { id } = await shop.post("/orders", { customer: 1, lines: [{ product: 1, quantity }] });
  return `/orders/${id}`;
}

test("an order is placed, reserved and paid, once", async () => {
  await using shop = await openShop();
  const order = await orderLamps(shop, 2);
  expect(await shop.get(order)).toMatchObject({ state: "placed" });
  expect(await shop.status("POST", `${order}/pay`, { payment: "p1" })).toBe(409);
  expect(await shop.post(`${order}/reserve`)).toMatchObject({ state: "reserved" });
  expect(await shop.get("/products/1")).toMatchObject({ stock: 1 });
  expect(await shop.post(`${order}/pay`, { payment: "p1" })).toMatchObject({ state: "paid" });
  expect(await shop.status("POST", `${order}/pay`, { payment: "p2" })).toBe(409);
  expect(await shop.status("POST", `${order}/cancel`)).toBe(409);
});

test("of two orders for the last lamps, one gets them", async () => {
  await using shop = await openShop();
  const orders = [await orderLamps(shop, 2), await orderLamps(shop, 2)];
  const statuses = await Promise.all(orders.map((order) => shop.status("POST", `${order}/reserve`)));
  expect(statuses.sort()).toEqual([200, 409]);
  expect(await shop.get("/products/1")).toMatchObject({ stock: 1 });
});

test("a cancelled order gives its stock back", async () => {
  await using shop = await openShop();
  const order = await orderLamps(shop, 2);
  await shop.post(`${order}/reserve`);
  expect(await shop.post(`${order}/cancel`)).toMatchObject({ state: "cancelled" });
  expect(await shop.get("/products/1")).toMatchObject({ stock: 3 });
  expect(await shop.status("POST", `${order}/pay`, { payment: "p1" })).toBe(409);
});

test("an order names what exists, and nobody deletes what is ordered", async () => {
  await using shop = await openShop();
  expect(await shop.status("POST", "/orders", { customer: 7, lines: [{ product: 1, quantity: 1 }] })).toBe(422);
  expect(await shop.status("POST", "/orders", { customer: 1, lines: [{ product: 7, quantity: 1 }] })).toBe(422);
  expect(await shop.status("POST", "/orders", { customer: 1, lines: [{ product: 1, quantity: 1 }], state: "paid" })).toBe(422);
  const order = await orderLamps(shop, 1);
  expect(await shop.status("DELETE", "/products/1")).toBe(409);
  expect(await shop.status("DELETE", order)).toBe(405);
});

test("an e-mail address and a SKU are taken once", async () => {
  await using shop = await openShop();
  expect(await shop.status("POST", "/customers", { ...ada, email: "ADA@example.com" })).toBe(409);
  expect(await shop.status("POST", "/products", lamp)).toBe(409);
});

test("customers find products", async () => {
  await using shop = await openShop();
  await shop.post("/products", { sku: "DESK-1", title: "Desk", price: 250, stock: 1 });
  const found = async (query: string) => {
    const { products } = await shop.get<{ products: { sku: string }[] }>(`/products?${query}`);
    return products.map(({ sku }) => sku);
  };
  expect(await found("search=desk")).toEqual(["DESK-1", "LAMP-1"]);
  expect(await found("sort=price")).toEqual(["LAMP-1", "DESK-1"]);
  expect(await found("maxPrice=100")).toEqual(["LAMP-1"]);
  expect(await found("sku=DESK-1")).toEqual(["DESK-1"]);
});
