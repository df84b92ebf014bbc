export { type FakeClock, fakeChance, fakeClock } from "./fake-clock.ts";
export { type FakeCall, FakeFailure, FakeServer, HangUp } from "./fake-server.ts";
export {
  sampleAgent,
  sampleApproval,
  sampleAssignment,
  sampleDelivery,
  sampleEvent,
  sampleKey,
  sampleSession,
  sampleSessionDetail,
  sampleTask,
  sampleTool,
  sampleWorkflow,
} from "./samples.ts";
