import { storeSuite } from "../store.suite.ts";
import { fileRig } from "./test-rigs.ts";

// What an audit reads is made by the same code in memory, where each call is followed by one; each of these connections
// would have to prepare the audit's statements anew.
storeSuite("SQLite on disk", async () => ({ ...(await fileRig()), audited: "at the end" }));
