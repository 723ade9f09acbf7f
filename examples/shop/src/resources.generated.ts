// Generated from the files of src/domain/ by `bun run generate`. Do not edit.
import { customer } from "./domain/customer";
import { order } from "./domain/order";
import { payment } from "./domain/payment";
import { product } from "./domain/product";

export const resources = { customer, order, payment, product };

declare global {
  interface WarrenResources {
    customer: typeof customer;
    order: typeof order;
    payment: typeof payment;
    product: typeof product;
  }
}
