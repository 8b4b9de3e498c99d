/** A problem in a request's body. */
export interface FieldProblem {
  /** Path of the field, such as `messages.0.content`; empty for the body as a whole. */
  path: string;
  message: string;
}

/** The HTTP statuses of refusals. */
export type RefusalStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 408
  | 409
  | 410
  | 413
  | 415
  | 417
  | 429
  | 431
  | 500
  | 502
  | 503
  | 504;

/** A refused request: a mistake of the caller, or a limit or failure of the service. It is sent as a JSON body. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: RefusalStatus;
  /** Stable code for programs. */
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
    return { error: { code, message, fields: problems.length > 0 ? problems : undefined } };
  }
}
