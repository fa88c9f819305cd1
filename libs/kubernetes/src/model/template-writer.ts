import { dateOf, type FieldTree, type KubeObject } from '../objects.ts';

export interface Writer {
  readonly manager: string;
  readonly at?: Date;
}

/** Who last wrote the pod template of a Deployment, by managedFields. Undefined: the server does not say. */
export function templateWriter(deployment: KubeObject): Writer | undefined {
  const writers = (deployment.metadata?.managedFields ?? []).flatMap((entry) => {
    // "unknown": a client that told no name
    if (entry.manager === undefined || entry.manager === 'unknown') return [];
    if ((entry.subresource ?? '') !== '') return [];
    if (!ownsTemplate(entry.fieldsV1)) return [];
    const at = dateOf(entry.time);
    return [{ manager: entry.manager, ...(at && { at }) }];
  });
  return writers.sort((a, b) => (b.at?.getTime() ?? 0) - (a.at?.getTime() ?? 0))[0];
}

function ownsTemplate(fields: FieldTree | undefined): boolean {
  return fields?.['f:spec']?.['f:template'] !== undefined;
}
