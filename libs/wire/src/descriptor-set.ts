/** Descriptors of all services, for gRPC reflection: a google.protobuf.FileDescriptorSet. Outside dist, beside package.json. */
export const descriptorSetUrl = new URL('../descriptors.binpb', import.meta.url);
