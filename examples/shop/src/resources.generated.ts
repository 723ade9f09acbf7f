// Generated from the files of src/domain/ by `bun run generate`. Do not edit.
import { customer } from "./domain/customer";
import { order } from "./domain/order";
import { product } from "./domain/product";

export const resources = { customer, order, product };

declare global {
  interface WarrenResources {
    customer: typeof customer;
    order: typeof order;
    product: typeof product;
  }
}
