/** One thing that is wrong with a request: where in its body, and what. */
export interface FieldProblem {
  /** Path of the field, such as `messages.0.content`; empty for the body as a whole. */
  path: string;
  message: string;
}

/** The statuses with which the service refuses. */
export type RefusalStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 408
  | 413
  | 415
  | 417
  | 429
  | 431
  | 500
  | 502
  | 503
  | 504;

/** A refusal: what the caller did wrong, or what the service cannot do now. It becomes a JSON body with its status. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: RefusalStatus;
  /** A stable word for programs. */
  readonly code: string;
  readonly problems: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: RefusalStatus,
    code: string,
    message: string,
    more: { problems?: readonly FieldProblem[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.problems = more.problems ?? [];
    this.headers = more.headers ?? {};
  }

  /** `{"error":{"code","message","fields"?}}`. */
  get body(): { error: { code: string; message: string; fields?: readonly FieldProblem[] } } {
    const { code, message, problems } = this;
    return { error: { code, message, ...(problems.length > 0 ? { fields: problems } : {}) } };
  }
}

/** What was thrown, for the log. */
export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
