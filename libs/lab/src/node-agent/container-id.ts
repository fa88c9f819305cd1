import { randomBytes } from 'node:crypto';

/** The id of one run of a container; it names its process, so that a test can reach it through the API. */
export function containerIdOf(pid: number): string {
  return `starr-lab://${pid}-${randomBytes(6).toString('hex')}`;
}

/** The process behind a `containerID` of a pod's status; undefined where that is none of this lab. */
export function pidOfContainer(containerId: string): number | undefined {
  const match = /^starr-lab:\/\/(\d+)-/.exec(containerId);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
