import { storeSuite } from "../store.suite.ts";
import { fileRig, memoryRig } from "./test-rigs.ts";

storeSuite("SQLite in memory", memoryRig);
storeSuite("SQLite on disk", fileRig);
