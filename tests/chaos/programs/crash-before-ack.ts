// Loaded before a consumer's own modules: with CRASH_AFTER=n, it dies with kill -9 before its n-th acknowledgement, after the effect.
import { beforeEachAck } from "../../support/dies-before-ack";
import { atCrashPoint } from "./crash";

beforeEachAck(atCrashPoint);
