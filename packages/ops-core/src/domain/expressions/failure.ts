/**
 * Why an expression cannot be compiled or evaluated. Stays inside this folder: templates turn it into an `OpspawnError`
 * with the path of the expression.
 */
export class ExpressionFailure extends Error {
  /** Where in the source, counted from 0; undefined for failures of evaluation. */
  readonly at: number | undefined;
  /** A limit was hit: `||`, `&&`, `all` and `exists` must not swallow it as they do other failures. */
  readonly limit: boolean;
  /** Text to add for a reader. Made only when there is one: most failures that `||` outweighs are never read. */
  readonly hint: () => string;

  constructor(message: string, options: { at?: number; limit?: boolean; hint?: () => string } = {}) {
    super(message);
    this.hint = options.hint ?? (() => "");
    this.at = options.at;
    this.limit = options.limit ?? false;
  }
}
