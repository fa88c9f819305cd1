import { readFileSync } from 'node:fs';
import { type NodeAgentConfig, startNodeAgent } from './node-agent.ts';

/** The process of a node agent: its configuration is a file, its readiness a line. */
const [, , path] = process.argv;
if (path === undefined) throw new Error('the node agent wants the path of its configuration');
const agent = await startNodeAgent(JSON.parse(readFileSync(path, 'utf8')) as NodeAgentConfig);
console.log('node agent ready');
process.once('SIGTERM', () => {
  void agent.stop().then(() => process.exit(0));
});
