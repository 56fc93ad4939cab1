/** The part of node:zlib that is used; what Node 20 has not in full is optional. */
export interface NodeZlib {
  readonly inflateRawSync: (
    deflated: Uint8Array,
    options: { readonly info: true; readonly maxOutputLength: number; readonly chunkSize: number },
  ) => {
    readonly buffer: Uint8Array<ArrayBuffer>;
    /** In spite of its name: what was read of the input. */
    readonly engine: { readonly bytesWritten: number };
  };
  readonly crc32?: (bytes: Uint8Array) => number;
  readonly zstdDecompressSync?: (
    frame: Uint8Array,
    options: { readonly maxOutputLength: number; readonly chunkSize: number },
  ) => Uint8Array<ArrayBuffer>;
}

/**
 * The runtime's own zlib: Deno, Bun and Node have it.
 *
 * @returns It, or `undefined` if there is none.
 */
export function nodeZlib(): NodeZlib | undefined {
  // Not an import: bundlers for browsers would trip over it
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => NodeZlib | undefined };
  };
  return process?.getBuiltinModule?.("node:zlib");
}
