export { type FakeClock, fakeChance, fakeClock } from "./fake-clock.ts";
export { type FakeCall, FakeFailure, FakeServer, FakeStream, HangUp } from "./fake-server.ts";
export {
  sampleAgent,
  sampleApproval,
  sampleApprovalLink,
  sampleAssignment,
  sampleCancellation,
  sampleDelivery,
  sampleEvent,
  sampleFire,
  sampleKey,
  sampleLimit,
  sampleSchedule,
  sampleSession,
  sampleSessionDetail,
  sampleTask,
  sampleTool,
  sampleWorkflow,
} from "./samples.ts";
