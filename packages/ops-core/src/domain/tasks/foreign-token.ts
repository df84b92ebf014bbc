import { OpspawnError } from "@opspawn/contract";

/** A fencing token that was never issued for the task it came with: no credential, whatever else it may be. */
export class ForeignToken extends OpspawnError {
  constructor() {
    super("lease_lost", "This token was never issued for this task.");
  }
}
