/** An endpoint that answers chats. */
export interface ChatRoute {
  /** The router's pattern. A slash at the end of a request's path is ignored. */
  path: string;
  /** Short name, for metrics and logs. */
  name:
    | 'conversation'
    | 'conversation-debug'
    | 'agent'
    | 'agent-stream'
    | 'playground'
    | 'chat'
    | 'chat-stream'
    | 'batch';
  /** The dialect of its answers. */
  dialect: 'conversation' | 'agent' | 'playground';
  /** False: answers are never streamed. */
  stream: boolean;
  /** True: answers use tools and a working memory. */
  agent: boolean;
  /** Where the session's id is: in the path, or in the body, where a new one is created if it is missing. `none`: never created. */
  session: 'path' | 'body' | 'none';
  /** Earlier messages of the session are sent to the model. */
  history: boolean;
  /** The caller may choose the upstream. */
  choosesUpstream: boolean;
  /** Longest time until the end of an answer, in ms, if the request gives none. Default: no limit. */
  timeoutMs?: number;
  /** Sends the timing of every event as SSE comments. */
  debug: boolean;
  /** Sends `[DONE]` after the last event. */
  endsWithDone: boolean;
}

const PLAIN = {
  stream: true,
  agent: false,
  history: true,
  choosesUpstream: false,
  debug: false,
  endsWithDone: false,
} as const;

/** The endpoint that also accepts tickets. */
export const CHAT_STREAM: ChatRoute = {
  ...PLAIN,
  path: '/chat/stream',
  name: 'chat-stream',
  dialect: 'conversation',
  session: 'body',
  endsWithDone: true,
};

/** The endpoint that answers several prompts in one stream. */
export const BATCH: ChatRoute = {
  ...PLAIN,
  path: '/chat/batch',
  name: 'batch',
  dialect: 'conversation',
  session: 'body',
};

/** All chat endpoints of the service that answer one prompt. */
export const CHAT_ROUTES: readonly ChatRoute[] = [
  {
    ...PLAIN,
    path: '/api/v1/conversations/:id/stream',
    name: 'conversation',
    dialect: 'conversation',
    session: 'path',
  },
  {
    ...PLAIN,
    path: '/api/v1/conversations/:id/stream-debug',
    name: 'conversation-debug',
    dialect: 'conversation',
    session: 'path',
    debug: true,
  },
  {
    ...PLAIN,
    path: '/api/v1/agents/:id/chat/lumosai',
    name: 'agent',
    dialect: 'agent',
    session: 'body',
    stream: false,
    agent: true,
  },
  {
    ...PLAIN,
    path: '/api/v1/agents/:id/chat/lumosai/stream',
    name: 'agent-stream',
    dialect: 'agent',
    session: 'body',
    agent: true,
  },
  {
    ...PLAIN,
    path: '/api/projects/:id/playground/chat/stream',
    name: 'playground',
    dialect: 'playground',
    session: 'none',
    history: false,
    choosesUpstream: true,
    timeoutMs: 60_000,
  },
  { ...PLAIN, path: '/chat', name: 'chat', dialect: 'conversation', session: 'body', stream: false },
  CHAT_STREAM,
];
