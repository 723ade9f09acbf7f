import { plant } from "./plant";

plant("store/consumer/file.ts", ["has: (id) => inInbox.get(id) !== null,", "has: () => false,"]);
