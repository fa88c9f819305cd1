import { isBlindSpot, blindSpot, type BlindSpot } from '@starr/kernel';
import type * as pb from './gen/starr/db/v1/db.ts';
import type {
  LockForestView,
  LockNodeView,
  LockSessionView,
  LockWaitView,
  PreparedTransactionView,
} from './lock-forest.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
  momentFromProto,
  momentToProto,
} from './moment.mapping.ts';
import { blindSpotFromProto, blindSpotToProto } from './verdict.mapping.ts';

export function lockForestToProto(answer: LockForestView | BlindSpot): pb.GetLockForestResponse {
  if (isBlindSpot(answer)) return { answer: { $case: 'blind', value: blindSpotToProto(answer) } };
  const { seenAt, nodes, truncated } = answer;
  return {
    answer: {
      $case: 'forest',
      value: { seenAt: dateToProto(seenAt), nodes: nodes.map(nodeToProto), truncated },
    },
  };
}

/** An answer that this version does not know is a forest that was not seen. */
export function lockForestFromProto({
  answer,
}: pb.GetLockForestResponse): LockForestView | BlindSpot {
  switch (answer?.$case) {
    case 'forest': {
      const { seenAt, nodes, truncated } = answer.value;
      return {
        seenAt: seenAt ? dateFromProto(seenAt) : new Date(0),
        nodes: nodes.map(nodeFromProto),
        truncated,
      };
    }
    case 'blind':
      return blindSpotFromProto(answer.value);
    case undefined:
      return blindSpot(
        'unsupported',
        'the doctor answered in a form that this version does not know',
      );
  }
}

function nodeToProto({ who, blockedBy, ...node }: LockNodeView): pb.LockNode {
  return { ...node, blockedBy: [...blockedBy], who: whoToProto(who) };
}

function nodeFromProto({ who, ...node }: pb.LockNode): LockNodeView {
  return { ...node, who: whoFromProto(who) };
}

function whoToProto(who: LockNodeView['who']): pb.LockNode['who'] {
  switch (who.kind) {
    case 'session':
      return { $case: 'session', value: sessionToProto(who) };
    case 'prepared': {
      const { gid, owner, database, ms } = who;
      return { $case: 'prepared', value: { gid, owner, database, age: durationToProto(ms) } };
    }
    case 'gone':
      return undefined;
  }
}

function whoFromProto(who: pb.LockNode['who']): LockNodeView['who'] {
  switch (who?.$case) {
    case 'session':
      return sessionFromProto(who.value);
    case 'prepared': {
      const { gid, owner, database, age } = who.value;
      return {
        kind: 'prepared',
        gid,
        owner,
        database,
        ms: age ? durationFromProto(age) : 0,
      } satisfies PreparedTransactionView;
    }
    case undefined:
      return { kind: 'gone' };
  }
}

function sessionToProto(session: LockSessionView): pb.LockSession {
  const { type, state, application, role, database, writes, statement, wait } = session;
  return {
    ...{ type, state, application, role, database, writes, statement },
    backendStart: session.backendStart === '' ? undefined : momentToProto(session.backendStart),
    stateAge: durationToProto(session.stateMs),
    address: session.address ?? '',
    transactionAge:
      session.transactionMs === undefined ? undefined : durationToProto(session.transactionMs),
    xidAge: BigInt(session.xidAge ?? 0),
    holds: session.holds ?? '',
    wait: wait && {
      age: durationToProto(wait.ms),
      mode: wait.mode,
      target: wait.target,
      table: wait.table ?? '',
    },
  };
}

function sessionFromProto(session: pb.LockSession): LockSessionView {
  const { type, state, application, role, database, writes, statement, wait } = session;
  const { backendStart, stateAge, address, transactionAge, xidAge, holds } = session;
  return {
    kind: 'session',
    ...{ type, state, application, role, database, writes, statement },
    backendStart: backendStart ? momentFromProto(backendStart) : '',
    stateMs: stateAge ? durationFromProto(stateAge) : 0,
    ...(address !== '' && { address }),
    ...(transactionAge && { transactionMs: durationFromProto(transactionAge) }),
    ...(xidAge !== 0n && { xidAge: Number(xidAge) }),
    ...(holds !== '' && { holds }),
    ...(wait && { wait: waitFromProto(wait) }),
  };
}

function waitFromProto({ age, mode, target, table }: pb.LockWait): LockWaitView {
  return {
    ms: age ? durationFromProto(age) : 0,
    mode,
    target,
    ...(table !== '' && { table }),
  };
}
