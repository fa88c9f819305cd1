import { ERROR_CODES } from '@starr/kernel';
import { statusFromError } from '@starr/wire';
import { status } from '@grpc/grpc-js';
import { DoctorError, type ErrorCode } from '@starr/kernel';
import { writePage } from './write-page.ts';

/** The closed list of codes, with the gRPC status each travels as. */
export async function writeErrorsPage(): Promise<void> {
  const rows = Object.entries(ERROR_CODES).map(([code, { says, retryable }]) => {
    const travels = status[statusFromError(new DoctorError(code as ErrorCode)).code];
    return `| \`${code}\` | ${says} | ${retryable ? 'yes' : 'no'} | ${travels} |`;
  });
  const head = [
    '# Errors',
    '',
    'Every error has one of these codes; over gRPC it travels as `google.rpc.ErrorInfo` with reason = code and domain = `starr`.',
    '',
    '| code | means | may succeed later | gRPC status |',
    '| --- | --- | --- | --- |',
  ];
  await writePage('docs/errors.md', [...head, ...rows].join('\n'));
}
