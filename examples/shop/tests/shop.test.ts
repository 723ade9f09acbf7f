import { expect, test } from "bun:test";
import { type TestRequests, testService } from "warren/testing";

const lamp = { sku: "LAMP-1", title: "Desk lamp", price: 39.9, stock: 3 };
const ada = { email: "ada@example.com", name: "Ada" };

/** Starts a shop with three lamps and a customer, Ada. */
async function openShop() {
  const service = await testService();
  const [admin, customer, stranger] = [service.as("admin"), service.as("ada"), service.as("eve")];
  await admin.post("/products", lamp);
  await customer.post("/customers", ada);
  return { admin, ada: customer, eve: stranger, [Symbol.asyncDispose]: () => service.stop() };
}

/** Orders lamps. Resolves with the path of the order. */
async function orderLamps(customer: TestRequests, quantity: number): Promise<string> {
  const { id } = await customer.post("/orders", { customer: 1, lines: [{ product: 1, quantity }] });
  return `/orders/${id}`;
}

test("an order is placed, reserved and paid, once", async () => {
  await using shop = await openShop();
  const order = await orderLamps(shop.ada, 2);
  expect(await shop.ada.get(order)).toMatchObject({ state: "placed" });
  expect(await shop.ada.status("POST", `${order}/pay`, { payment: "p1" })).toBe(409);
  expect(await shop.ada.post(`${order}/reserve`)).toMatchObject({ state: "reserved" });
  expect(await shop.ada.get("/products/1")).toMatchObject({ stock: 1 });
  expect(await shop.ada.post(`${order}/pay`, { payment: "p1" })).toMatchObject({ state: "paid" });
  expect(await shop.ada.status("POST", `${order}/pay`, { payment: "p2" })).toBe(409);
  expect(await shop.ada.status("POST", `${order}/cancel`)).toBe(409);
});

test("of two orders for the last lamps, one gets them", async () => {
  await using shop = await openShop();
  const orders = [await orderLamps(shop.ada, 2), await orderLamps(shop.ada, 2)];
  const statuses = await Promise.all(orders.map((order) => shop.ada.status("POST", `${order}/reserve`)));
  expect(statuses.sort()).toEqual([200, 409]);
  expect(await shop.ada.get("/products/1")).toMatchObject({ stock: 1 });
});

test("a cancelled order gives its stock back", async () => {
  await using shop = await openShop();
  const order = await orderLamps(shop.ada, 2);
  await shop.ada.post(`${order}/reserve`);
  expect(await shop.ada.post(`${order}/cancel`)).toMatchObject({ state: "cancelled" });
  expect(await shop.ada.get("/products/1")).toMatchObject({ stock: 3 });
  expect(await shop.ada.status("POST", `${order}/pay`, { payment: "p1" })).toBe(409);
});

test("nobody else sees an order, and only an admin changes products", async () => {
  await using shop = await openShop();
  const order = await orderLamps(shop.ada, 1);
  expect(await shop.eve.status("GET", order)).toBe(404);
  expect(await shop.eve.status("POST", `${order}/reserve`)).toBe(404);
  expect(await shop.eve.status("POST", "/orders", { customer: 1, lines: [{ product: 1, quantity: 1 }] })).toBe(422);
  expect(await shop.admin.get(order)).toMatchObject({ account: "ada" });
  expect(await shop.ada.status("PATCH", "/products/1", { price: 1 })).toBe(403);
});

test("an order names what exists, and nobody deletes what is ordered", async () => {
  await using shop = await openShop();
  expect(await shop.ada.status("POST", "/orders", { customer: 1, lines: [{ product: 7, quantity: 1 }] })).toBe(422);
  expect(await shop.ada.status("POST", "/orders", { customer: 1, lines: [{ product: 1, quantity: 1 }], state: "paid" })).toBe(422);
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
    const { products } = await shop.eve.get<{ products: { sku: string }[] }>(`/products?${query}`);
    return products.map(({ sku }) => sku);
  };
  expect(await found("search=desk")).toEqual(["DESK-1", "LAMP-1"]);
  expect(await found("sort=price")).toEqual(["LAMP-1", "DESK-1"]);
  expect(await found("maxPrice=100")).toEqual(["LAMP-1"]);
  expect(await found("sku=DESK-1")).toEqual(["DESK-1"]);
});
