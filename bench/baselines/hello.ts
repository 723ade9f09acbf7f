// First example from Elysia's documentation. `PORT=3000 bun bench/baselines/hello.ts`
import { Elysia } from "elysia";

new Elysia().get("/", () => "Hello Elysia").listen({ port: Number(process.env["PORT"]), hostname: "127.0.0.1" });
