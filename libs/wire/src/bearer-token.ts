import { InterceptingCall, RequesterBuilder, type Interceptor } from '@grpc/grpc-js';

/** Puts the credential of this client into every call. */
export function bearerTokenInterceptor(token: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(
      nextCall(options),
      new RequesterBuilder()
        .withStart((metadata, listener, next) => {
          metadata.set('authorization', `Bearer ${token}`);
          next(metadata, listener);
        })
        .build(),
    );
}
