import { readFile } from 'node:fs/promises';
import { BinaryReader } from '@bufbuild/protobuf/wire';

/** Descriptors of all services, for gRPC reflection: a google.protobuf.FileDescriptorSet. Outside dist, beside package.json. */
const descriptorSetUrl = new URL('../descriptors.binpb', import.meta.url);

/** Its files, imports included, each as the bytes of a google.protobuf.FileDescriptorProto. */
export async function readDescriptorFiles(): Promise<readonly Buffer[]> {
  const reader = new BinaryReader(await readFile(descriptorSetUrl));
  const files: Buffer[] = [];
  while (reader.pos < reader.len) {
    reader.tag(); // the set has one field
    files.push(Buffer.from(reader.bytes()));
  }
  return files;
}
