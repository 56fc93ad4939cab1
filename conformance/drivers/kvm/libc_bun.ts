/** The C library through Bun's FFI. */
import type { RawLibc } from "./libc_raw.ts";

/** What is used of `bun:ffi`. */
interface BunFfi {
  dlopen(path: string, symbols: Record<string, { args: string[]; returns: string }>): {
    symbols: {
      open(path: Uint8Array, flags: number): number;
      close(fd: number): number;
      ioctl(fd: number, request: number, argument: number | Uint8Array): number;
      mmap(at: null, size: number, prot: number, flags: number, fd: number, from: number): number;
      munmap(address: number, size: number): number;
      __errno_location(): number;
    };
  };
  toArrayBuffer(address: number, offset: number, size: number): ArrayBuffer;
  read: { i32(address: number, offset: number): number };
}

/** Not a literal: other runtimes' tools look for modules that are. */
const BUN_FFI: string = "bun:ffi";

/**
 * Opens the C library.
 *
 * @returns Its functions.
 */
export async function openLibc(): Promise<RawLibc> {
  const ffi: BunFfi = await import(BUN_FFI);
  const { symbols: c } = ffi.dlopen("libc.so.6", {
    open: { args: ["ptr", "i32"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
    ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" }, // a ptr may be a number, too
    mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "ptr" },
    munmap: { args: ["ptr", "u64"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  });
  return {
    open: (path, flags) => c.open(path, flags),
    close: (fd) => c.close(fd),
    ioctl: (fd, request, argument) => c.ioctl(fd, request, argument),
    // Addresses are numbers here: those of a process are below 2^47
    mmap: (size, protection, flags, fd) => BigInt(c.mmap(null, size, protection, flags, fd, 0)),
    munmap: (address, size) => c.munmap(Number(address), size),
    errno: () => ffi.read.i32(c.__errno_location(), 0),
    view: (address, size) => new Uint8Array(ffi.toArrayBuffer(Number(address), 0, size)),
  };
}
