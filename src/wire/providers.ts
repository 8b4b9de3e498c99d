import { UserError } from '../model/errors.ts';
import type { AuthScheme } from '../model/plan.ts';
import type { RequestFields } from '../model/request.ts';
import { suggest } from '../model/suggestions.ts';

/** A provider's address, dialect, authentication and request fields. */
export interface Provider {
  name: string;
  /** Undefined if each user has their own address. The target must then set one. */
  baseUrl?: string;
  dialect: string;
  auth: AuthScheme;
  /** The environment variable that usually holds the key. */
  keyVariable?: string;
  /** Request fields that differ from the dialect's defaults. */
  requestFields?: RequestFields;
  /** A note for the user, in one line. */
  note?: string;
}

const COMPLETION_TOKENS: RequestFields = { maxTokens: 'max_completion_tokens' };

/** All providers. `simulator` is the embedded simulator: its address is known once it has started. */
export const PROVIDERS: readonly Provider[] = [
  { name: 'simulator', dialect: 'openai-chat', auth: 'none', note: 'embedded; started by the run' },
  {
    name: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'OPENAI_API_KEY',
    requestFields: COMPLETION_TOKENS,
    note: 'Responses API: dialect openai-responses',
  },
  {
    name: 'azure-openai',
    dialect: 'openai-chat',
    auth: 'api-key',
    keyVariable: 'AZURE_OPENAI_API_KEY',
    requestFields: COMPLETION_TOKENS,
    note: 'URL: https://RESOURCE.openai.azure.com/openai/v1; the model is the deployment',
  },
  {
    name: 'anthropic',
    baseUrl: 'https://api.anthropic.com/v1',
    dialect: 'anthropic',
    auth: 'x-api-key',
    keyVariable: 'ANTHROPIC_API_KEY',
  },
  {
    name: 'gemini',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    dialect: 'gemini',
    auth: 'x-goog-api-key',
    keyVariable: 'GEMINI_API_KEY',
    note: 'with thoughts: extra { generationConfig: { thinkingConfig: { includeThoughts: true } } }',
  },
  {
    name: 'vertex',
    dialect: 'gemini',
    auth: 'bearer',
    keyVariable: 'VERTEX_ACCESS_TOKEN',
    note: 'URL: https://aiplatform.googleapis.com/v1/PATH with PATH projects/PROJECT/locations/global/publishers/google',
  },
  {
    name: 'bedrock',
    baseUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com',
    dialect: 'bedrock-converse',
    auth: 'sigv4',
    keyVariable: 'AWS_ACCESS_KEY_ID',
    note: 'for another region give its URL',
  },
  {
    name: 'bedrock-key',
    baseUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com',
    dialect: 'bedrock-converse',
    auth: 'bearer',
    keyVariable: 'AWS_BEARER_TOKEN_BEDROCK',
    note: 'Bedrock with an API key in place of signatures',
  },
  {
    name: 'zhipu',
    baseUrl: 'https://open.bigmodel.cn/api/paas/v4',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'ZHIPU_API_KEY',
    note: 'glm-4.7 and glm-5 think unless extra is { thinking: { type: disabled } }',
  },
  {
    name: 'zhipu-jwt',
    baseUrl: 'https://open.bigmodel.cn/api/paas/v4',
    dialect: 'openai-chat',
    auth: 'zhipu-jwt',
    keyVariable: 'ZHIPU_API_KEY',
    note: 'sends a signed token in place of the key, as older clients do',
  },
  {
    name: 'zai',
    baseUrl: 'https://api.z.ai/api/paas/v4',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'ZAI_API_KEY',
    note: 'Zhipu outside China; for the coding plan: https://api.z.ai/api/coding/paas/v4',
  },
  {
    name: 'deepseek',
    baseUrl: 'https://api.deepseek.com',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'DEEPSEEK_API_KEY',
    note: 'models deepseek-v4-flash and deepseek-v4-pro; without thinking: extra { thinking: { type: disabled } }',
  },
  {
    name: 'qwen',
    baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'DASHSCOPE_API_KEY',
    note: 'keys belong to a region; elsewhere: https://WORKSPACE.REGION.maas.aliyuncs.com/compatible-mode/v1',
  },
  {
    name: 'moonshot',
    baseUrl: 'https://api.moonshot.cn/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'MOONSHOT_API_KEY',
    requestFields: COMPLETION_TOKENS,
    note: 'outside China: https://api.moonshot.ai/v1',
  },
  {
    name: 'minimax',
    baseUrl: 'https://api.minimax.io/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'MINIMAX_API_KEY',
    requestFields: COMPLETION_TOKENS,
    note: 'in China: https://api.minimaxi.com/v1',
  },
  {
    name: 'siliconflow',
    baseUrl: 'https://api.siliconflow.cn/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'SILICONFLOW_API_KEY',
    note: 'outside China: https://api.siliconflow.com/v1',
  },
  {
    name: 'mistral',
    baseUrl: 'https://api.mistral.ai/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'MISTRAL_API_KEY',
    // Rejects unknown fields with a 422. Sends usage by default.
    requestFields: { usage: 'none' },
  },
  {
    name: 'cohere',
    baseUrl: 'https://api.cohere.com',
    dialect: 'cohere',
    auth: 'bearer',
    keyVariable: 'COHERE_API_KEY',
  },
  {
    name: 'groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'GROQ_API_KEY',
    requestFields: COMPLETION_TOKENS,
  },
  {
    name: 'together',
    baseUrl: 'https://api.together.ai/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'TOGETHER_API_KEY',
  },
  {
    name: 'fireworks',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'FIREWORKS_API_KEY',
  },
  {
    name: 'openrouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'OPENROUTER_API_KEY',
    requestFields: { maxTokens: 'max_completion_tokens', usage: 'none' },
  },
  {
    name: 'xai',
    baseUrl: 'https://api.x.ai/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'XAI_API_KEY',
    requestFields: COMPLETION_TOKENS,
  },
  {
    name: 'perplexity',
    baseUrl: 'https://api.perplexity.ai/v1',
    dialect: 'openai-responses',
    auth: 'bearer',
    keyVariable: 'PERPLEXITY_API_KEY',
    note: 'Agent API; models are PROVIDER/NAME, such as perplexity/sonar',
  },
  {
    name: 'cerebras',
    baseUrl: 'https://api.cerebras.ai/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'CEREBRAS_API_KEY',
    requestFields: COMPLETION_TOKENS,
  },
  {
    name: 'huggingface',
    baseUrl: 'https://router.huggingface.co/v1',
    dialect: 'openai-chat',
    auth: 'bearer',
    keyVariable: 'HF_TOKEN',
    note: 'routes to many providers',
  },
  {
    name: 'ollama',
    baseUrl: 'http://127.0.0.1:11434',
    dialect: 'ollama-chat',
    auth: 'none',
    keyVariable: 'OLLAMA_API_KEY',
  },
  {
    name: 'vllm',
    baseUrl: 'http://127.0.0.1:8000/v1',
    dialect: 'openai-chat',
    auth: 'none',
    keyVariable: 'VLLM_API_KEY',
  },
  {
    name: 'sglang',
    baseUrl: 'http://127.0.0.1:30000/v1',
    dialect: 'openai-chat',
    auth: 'none',
    keyVariable: 'SGLANG_API_KEY',
  },
  {
    name: 'llama.cpp',
    baseUrl: 'http://127.0.0.1:8080/v1',
    dialect: 'openai-chat',
    auth: 'none',
    keyVariable: 'LLAMA_API_KEY',
  },
  {
    name: 'lmstudio',
    baseUrl: 'http://127.0.0.1:1234/v1',
    dialect: 'openai-chat',
    auth: 'none',
    keyVariable: 'LM_API_TOKEN',
  },
  { name: 'tgi', baseUrl: 'http://127.0.0.1:8080', dialect: 'tgi', auth: 'none', keyVariable: 'HF_TOKEN' },
  {
    name: 'dify',
    baseUrl: 'https://api.dify.ai/v1',
    dialect: 'dify',
    auth: 'bearer',
    keyVariable: 'DIFY_API_KEY',
    note: 'the key belongs to one application and chooses it',
  },
  { name: 'sse', dialect: 'sse', auth: 'bearer', note: 'any endpoint that sends Server-Sent Events' },
  { name: 'ndjson', dialect: 'ndjson', auth: 'bearer', note: 'any endpoint that sends lines of JSON' },
  { name: 'raw', dialect: 'raw', auth: 'bearer', note: 'any endpoint that streams a body' },
];

/** The provider of that name. Throws a `UserError` with similar names if it is unknown. */
export function provider(name: string): Provider {
  const row = PROVIDERS.find((candidate) => candidate.name === name);
  if (row === undefined) {
    throw new UserError('unknown_provider', {
      message: `unknown provider "${name}"`,
      hint: suggest(
        name,
        PROVIDERS.map((candidate) => candidate.name),
      ),
    });
  }
  return row;
}

/** The remote provider whose API a URL belongs to: its base URL, or a path below it. */
export function providerOfUrl(url: string): Provider | undefined {
  return PROVIDERS.find(
    ({ baseUrl }) =>
      baseUrl?.startsWith('https:') &&
      url.startsWith(baseUrl) &&
      /^([/?#]|$)/.test(url.slice(baseUrl.length)),
  );
}
