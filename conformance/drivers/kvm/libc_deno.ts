/** The C library through Deno's FFI. */
import type { RawLibc } from "./libc_raw.ts";

/**
 * Opens the C library. Needs the permission --allow-ffi, without a path: views of memory ask for it.
 *
 * @returns Its functions.
 */
export function openLibc(): RawLibc {
  const { symbols: c } = Deno.dlopen("libc.so.6", {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
    // ioctl takes a number or a pointer: one C function, bound twice.
    ioctlNumber: { name: "ioctl", parameters: ["i32", "u64", "u64"], result: "i32" },
    ioctlBuffer: { name: "ioctl", parameters: ["i32", "u64", "buffer"], result: "i32" },
    mmap: { parameters: ["u64", "u64", "i32", "i32", "i32", "i64"], result: "u64" },
    munmap: { parameters: ["u64", "u64"], result: "i32" },
    __errno_location: { parameters: [], result: "pointer" },
  });
  return {
    open: (path, flags) => c.open(path as Uint8Array<ArrayBuffer>, flags),
    close: (fd) => c.close(fd),
    ioctl: (fd, request, argument) =>
      typeof argument === "number"
        ? c.ioctlNumber(fd, BigInt(request), BigInt(argument))
        : c.ioctlBuffer(fd, BigInt(request), argument as Uint8Array<ArrayBuffer>),
    mmap: (size, protection, flags, fd) => c.mmap(0n, BigInt(size), protection, flags, fd, 0n),
    munmap: (address, size) => c.munmap(address, BigInt(size)),
    errno: () => new Deno.UnsafePointerView(c.__errno_location()!).getInt32(),
    view: (address, size) =>
      new Uint8Array(
        Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, size),
      ),
  };
}
