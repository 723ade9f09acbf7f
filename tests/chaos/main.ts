// `bun run chaos`: on one machine; with --cluster on PostgreSQL and three brokers; with --acting for consumers that change records.
const suite = process.argv.includes("--cluster") ? "./cluster/main" : process.argv.includes("--acting") ? "./acting/main" : "./single";
await import(suite);

export {};
