import type { Client } from 'pg';
import type { ServerAct } from '../postgres-act.ts';
import type { ActContext, ActEvents } from './act-context.ts';
import { applyAlter } from './apply-alter.ts';
import { applySignalSession } from './apply-signal-session.ts';
import { applyTerminateSessions } from './apply-terminate-sessions.ts';
import { failed } from './failed.ts';
import { doctorErrorFromPg } from './pg-error.ts';

/** The only code that can change a server: one exhaustive switch over the kinds of act. Yields one outcome, last. */
export async function* applyAct(act: ServerAct, context: ActContext): ActEvents {
  let client: Client;
  try {
    client = await context.open();
  } catch (thrown) {
    const error = doctorErrorFromPg(thrown, context.role);
    yield failed(`nothing was done: ${error.rawMessage}`, error.details['cure']);
    return;
  }
  let isFit = false;
  try {
    for await (const event of eventsOf(act, client, context)) {
      if (event.kind === 'outcome') isFit = event.outcome !== 'indeterminate';
      yield event;
    }
  } finally {
    context.close(client, isFit);
  }
}

function eventsOf(act: ServerAct, client: Client, context: ActContext): ActEvents {
  switch (act.kind) {
    case 'terminate-sessions':
      return applyTerminateSessions(act, client, context);
    case 'alter-setting':
    case 'alter-connection-limit':
      return applyAlter(act, client, context);
    case 'cancel-statement':
    case 'terminate-session':
      return applySignalSession(act, client, context);
  }
}
