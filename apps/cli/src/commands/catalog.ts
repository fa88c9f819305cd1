import { Command } from 'commander';
import { DoctorError, type DiagnosticDescription, type RemedyDescription } from '@starr/kernel';
import type { DoctorCatalogView } from '@starr/wire';
import { withOrchestrator, type CommandContext } from '../command-context.ts';
import { table } from '../render/table.ts';

export function catalogCommand(context: CommandContext): Command {
  return new Command('catalog')
    .description('all diagnostics and remedies, or one of them whole')
    .argument('[id]', 'a diagnostic or remedy, such as db.connection-use')
    .option('--json', 'the catalog as JSON')
    .action(async (id: string | undefined, { json = false }: { json?: boolean }) => {
      const doctors = await withOrchestrator(context, (orchestrator) =>
        orchestrator.describeCatalog(),
      );
      const text = id === undefined ? catalogText(doctors) : entryText(id, doctors);
      context.terminal.print(
        json ? JSON.stringify(id === undefined ? doctors : find(id, doctors), null, 2) : text,
      );
    });
}

export function catalogText(doctors: readonly DoctorCatalogView[]): string {
  return doctors
    .map((doctor) => {
      const rows = [
        ...doctor.diagnostics.map(({ id, title }) => ['  check ', id, title]),
        ...doctor.remedies.map(({ id, title, reversible }) => [
          '  remedy',
          id,
          `${title}${reversible ? '' : ' (irreversible)'}`,
        ]),
      ];
      const targets = doctor.targets.map(({ name }) => name).join(', ') || 'no target';
      return `${doctor.name}${doctor.isReachable ? '' : ' (away; as last known)'}: ${targets}\n${table(rows)}`;
    })
    .join('\n\n');
}

function find(
  id: string,
  doctors: readonly DoctorCatalogView[],
): DiagnosticDescription | RemedyDescription {
  const all = doctors.flatMap((doctor) => [...doctor.diagnostics, ...doctor.remedies]);
  const found = all.find((each) => each.id === id);
  if (found) return found;
  const allowed = all.map((each) => each.id).join(', ');
  throw new DoctorError('WIRE_INVALID', {
    message: `id is ${JSON.stringify(id)}; allowed: ${allowed}`,
    details: { field: 'id', received: id, allowed },
  });
}

function entryText(id: string, doctors: readonly DoctorCatalogView[]): string {
  const entry = find(id, doctors);
  const head = `${entry.id}  ${entry.title}\n\n${entry.explains}`;
  if ('paramsSchema' in entry)
    return `${head}\n\nparameters  ${entry.paramsSchema}\nundo        ${entry.reversible ? 'from its receipt' : 'impossible'}`;
  const thresholds = Object.entries(entry.thresholds).map(
    ([name, { value, unit, says, source }]) => [
      `  ${name}`,
      `${value} ${unit}`,
      says,
      `(${source})`,
    ],
  );
  const measures = Object.entries(entry.measures).map(([name, { unit, says }]) => [
    `  ${name}`,
    unit,
    says,
  ]);
  const replaces = entry.replaces.map((command) => `  ${command}`);
  return [
    head,
    '',
    'thresholds',
    table(thresholds),
    '',
    'measures',
    table(measures),
    '',
    'in place of',
    ...replaces,
  ].join('\n');
}
