import { rm } from 'node:fs/promises';
import { describeDiagnostic, describeRemedy } from '@starr/doctor-host';
import type { DiagnosticDescription, RemedyDescription } from '@starr/kernel';
import { CATALOGS } from './catalogs.ts';
import { cell, writePage } from './write-page.ts';

const FOLDER = 'docs/catalog';

/** One page an id, named after it, and an index: what it looks at, when it is a finding, what to do by hand. */
export async function writeCatalogPages(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
  const index: string[] = ['# Catalog', '', 'Every diagnostic and remedy by its permanent id.', ''];
  for (const { doctor, catalog } of CATALOGS) {
    const diagnostics = catalog.diagnostics.map(describeDiagnostic);
    const remedies = catalog.remedies.map(describeRemedy);
    index.push(`## ${doctor}`, '', '| id | kind | title |', '| --- | --- | --- |');
    for (const diagnostic of diagnostics) {
      index.push(row(diagnostic.id, 'check', diagnostic.title));
      await writePage(`${FOLDER}/${diagnostic.id}.md`, diagnosticPage(diagnostic, doctor));
    }
    for (const remedy of remedies) {
      index.push(row(remedy.id, 'remedy', remedy.title));
      await writePage(`${FOLDER}/${remedy.id}.md`, remedyPage(remedy, doctor));
    }
    index.push('');
  }
  await writePage(`${FOLDER}/README.md`, index.join('\n'));
}

function row(id: string, kind: string, title: string): string {
  return `| [${id}](${id}.md) | ${kind} | ${cell(title)} |`;
}

function diagnosticPage(diagnostic: DiagnosticDescription, doctor: string): string {
  const thresholds = Object.entries(diagnostic.thresholds).map(
    ([name, { value, unit, says, source }]) =>
      `| ${name} | ${value} | ${cell(unit)} | ${cell(says)} | ${cell(source)} |`,
  );
  const measures = Object.entries(diagnostic.measures).map(
    ([name, { unit, says }]) => `| ${name} | ${cell(unit)} | ${cell(says)} |`,
  );
  return [
    `# ${diagnostic.id}`,
    '',
    `${diagnostic.title}. A check of ${doctor}.`,
    '',
    diagnostic.explains,
    '',
    `Ask it alone: \`starr sweep --only ${diagnostic.id}\``,
    '',
    ...(thresholds.length === 0
      ? []
      : [
          '## Thresholds',
          '',
          '| name | value | unit | bounds | source |',
          '| --- | --- | --- | --- | --- |',
          ...thresholds,
          '',
        ]),
    ...(measures.length === 0
      ? []
      : ['## Measurements', '', '| name | unit | says |', '| --- | --- | --- |', ...measures, '']),
    ...(diagnostic.replaces.length === 0
      ? []
      : ['## In place of', '', '```', ...diagnostic.replaces, '```', '']),
    `Reads: ${diagnostic.reads.map((read) => `\`${read}\``).join(', ')}`,
  ].join('\n');
}

function remedyPage(remedy: RemedyDescription, doctor: string): string {
  return [
    `# ${remedy.id}`,
    '',
    `${remedy.title}. A remedy of ${doctor}; ${remedy.reversible ? 'undone from its receipt with `starr undo`' : 'irreversible'}.`,
    '',
    remedy.explains,
    '',
    `Plan it: \`starr plan ${remedy.id} --target … --param name=value\``,
    '',
    '## Parameters',
    '',
    '```json',
    JSON.stringify(JSON.parse(remedy.paramsSchema), null, 2),
    '```',
  ].join('\n');
}
