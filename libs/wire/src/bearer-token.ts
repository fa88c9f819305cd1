import { InterceptingCall, RequesterBuilder, type Interceptor } from '@grpc/grpc-js';

/** Puts the credential of this client into every call, and who acts (for the audit; absent: the role's name). */
export function bearerTokenInterceptor(token: string, actor?: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(
      nextCall(options),
      new RequesterBuilder()
        .withStart((metadata, listener, next) => {
          metadata.set('authorization', `Bearer ${token}`);
          // Metadata carries printable ASCII alone.
          if (actor !== undefined) metadata.set('starr-actor', actor.replace(/[^\x20-\x7e]/g, '?'));
          next(metadata, listener);
        })
        .build(),
    );
}
