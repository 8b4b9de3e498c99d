// Loaded by benchmarks/embed, which is compiled to test/peers/dist.
export { createOpenAICompatible } from '@ai-sdk/openai-compatible';
