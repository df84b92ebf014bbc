export type { Distribution, GroupReport, NeedReport, Report, StepReport } from "./report.ts";
export {
  type SimulateProgress,
  type SimulateReport,
  type SimulateRequest,
  simulate,
  type TargetReport,
} from "./simulate.ts";
export type { BadEnd } from "./simulation.ts";
