// Generated from the files of routes/ by `bun run generate`. Do not edit.
import { Elysia } from "elysia";
import { builtInRoutes } from "warren/built-in";
import type { Dependencies } from "warren/route";
import type {} from "./resources.generated";
import route0 from "../routes/customers";
import route1 from "../routes/orders";
import route2 from "../routes/orders/[id]/pay";
import route3 from "../routes/payments";
import route4 from "../routes/products";

export const routes = [
  { file: "customers.ts", path: "/customers", route: route0 },
  { file: "orders.ts", path: "/orders", route: route1 },
  { file: "orders/[id]/pay.ts", path: "/orders/:id/pay", route: route2 },
  { file: "payments.ts", path: "/payments", route: route3 },
  { file: "products.ts", path: "/products", route: route4 },
];

const part0 = (dependencies: Dependencies) =>
  new Elysia()
    .use(new Elysia({ prefix: "/customers" }).use(route0(dependencies)))
    .use(new Elysia({ prefix: "/orders" }).use(route1(dependencies)))
    .use(new Elysia({ prefix: "/orders/:id/pay" }).use(route2(dependencies)))
    .use(new Elysia({ prefix: "/payments" }).use(route3(dependencies)))
    .use(new Elysia({ prefix: "/products" }).use(route4(dependencies)))
    .use(new Elysia({ prefix: "/changes" }).use(builtInRoutes["/changes"](dependencies)))
    .use(new Elysia({ prefix: "/catalogue" }).use(builtInRoutes["/catalogue"](dependencies)))
    .use(new Elysia({ prefix: "/consumers" }).use(builtInRoutes["/consumers"](dependencies)));

const part1 = (dependencies: Dependencies) =>
  new Elysia()
    .use(new Elysia({ prefix: "/dead-letter-jobs" }).use(builtInRoutes["/dead-letter-jobs"](dependencies)))
    .use(new Elysia({ prefix: "/dead-letters" }).use(builtInRoutes["/dead-letters"](dependencies)))
    .use(new Elysia({ prefix: "/events" }).use(builtInRoutes["/events"](dependencies)))
    .use(new Elysia({ prefix: "/events/:id" }).use(builtInRoutes["/events/:id"](dependencies)))
    .use(new Elysia({ prefix: "/events/:id/timeline" }).use(builtInRoutes["/events/:id/timeline"](dependencies)))
    .use(new Elysia({ prefix: "/health" }).use(builtInRoutes["/health"](dependencies)))
    .use(new Elysia({ prefix: "/metrics" }).use(builtInRoutes["/metrics"](dependencies)))
    .use(new Elysia({ prefix: "/replays" }).use(builtInRoutes["/replays"](dependencies)));

const part2 = (dependencies: Dependencies) =>
  new Elysia()
    .use(new Elysia({ prefix: "/schedules" }).use(builtInRoutes["/schedules"](dependencies)))
    .use(new Elysia({ prefix: "/status" }).use(builtInRoutes["/status"](dependencies)))
    .use(new Elysia({ prefix: "/status/settings" }).use(builtInRoutes["/status/settings"](dependencies)))
    .use(new Elysia({ prefix: "/status/webhooks" }).use(builtInRoutes["/status/webhooks"](dependencies)))
    .use(new Elysia({ prefix: "/timers" }).use(builtInRoutes["/timers"](dependencies)))
    .use(new Elysia({ prefix: "/topology" }).use(builtInRoutes["/topology"](dependencies)))
    .use(new Elysia({ prefix: "/whoami" }).use(builtInRoutes["/whoami"](dependencies)));

const typed = (dependencies: Dependencies) =>
  new Elysia()
    .use(part0(dependencies))
    .use(part1(dependencies))
    .use(part2(dependencies));

/** The routes with their types, for an Eden client: `treaty<App>("localhost:3000", { parseDate: false })`. */
export type App = ReturnType<typeof typed>;

declare global {
  interface WarrenRoutes {
    app: App;
  }
}
