// For applications
export { attach, type Attachment } from './attach.ts';
export type { AttachChange, AttachOptions } from './attach-options.ts';
export { podFromEnv } from './pod-from-env.ts';
