// Loaded by `bun test` before the first file. A hook here runs once for the whole run.
import { afterAll } from "bun:test";
import { disposeSharedCluster } from "./postgres";
import { disposeSharedNode } from "./rabbit";

afterAll(disposeSharedNode);
afterAll(disposeSharedCluster);
