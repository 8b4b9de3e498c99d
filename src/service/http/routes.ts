/** An endpoint that answers chats. */
export interface ChatRoute {
  /** As the router knows it, which takes it with and without a slash at its end. */
  path: string;
  /** Short name, for metrics and logs. */
  name:
    | 'conversation'
    | 'conversation-debug'
    | 'agent'
    | 'agent-stream'
    | 'playground'
    | 'chat'
    | 'chat-stream';
  /** Whose words it speaks. */
  dialect: 'conversation' | 'agent' | 'playground';
  /** False: the answer always comes whole. */
  stream: boolean;
  /** Tools and working memory. */
  agent: boolean;
  /** Messages are stored, in the session that this tells; `none` stores nothing. */
  session: 'path' | 'body' | 'none';
  /** Earlier messages of the session are shown to the model. */
  history: boolean;
  /** The caller may name the upstream. */
  choosesUpstream: boolean;
  /** Timing of every event as SSE comments. */
  debug: boolean;
}

const PLAIN = { stream: true, agent: false, history: true, choosesUpstream: false, debug: false } as const;

/** Every chat endpoint of the service. */
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
  },
  { ...PLAIN, path: '/chat', name: 'chat', dialect: 'conversation', session: 'body', stream: false },
  { ...PLAIN, path: '/chat/stream', name: 'chat-stream', dialect: 'conversation', session: 'body' },
];
