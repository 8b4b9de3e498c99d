/** The official OpenAI client: a file in this folder can import what is installed here. */
export { default } from 'openai';
