/** Facts for operators, as data beside a short text. Never secrets, bodies or authorisation. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a component writes its log; it comes from outside, so that tests and hosts own it. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
