/** Something the person at the terminal can mend: the message says what is wrong, and what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
  /** Of this command: 1 = it could not start, 2 = it was asked for something it cannot do. */
  readonly status: 1 | 2;

  constructor(message: string, status: 1 | 2 = 1) {
    super(message);
    this.status = status;
  }
}
