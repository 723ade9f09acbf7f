// `bun run chaos`: on one machine, or with --cluster on PostgreSQL and three brokers.
await import(process.argv.includes("--cluster") ? "./cluster/main" : "./single");

export {};
