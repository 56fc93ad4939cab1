/** The calls of the C library that a virtual machine monitor needs. The FFI itself is in libc_deno.ts and libc_bun.ts. */
import { constants } from "node:os";
import type { RawLibc } from "./libc_raw.ts";

/** Memory that is mapped until it is unmapped. */
export interface Mapping {
  /** Where it is in this process. */
  readonly address: bigint;
  /** The memory itself. It must not be touched after `unmap`: the process would die. */
  readonly bytes: Uint8Array;
}

/** A system call that failed. */
export class SystemError extends Error {
  /** The class' name. */
  override readonly name: string = "SystemError";
  /** The error's name, e.g. `EACCES`. */
  readonly code: string;

  constructor(what: string, errno: number) {
    const code = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ??
      `errno ${errno}`;
    super(`Cannot ${what}: ${code}`);
    this.code = code;
  }
}

// asm-generic/fcntl.h
const O_RDWR = 0x2;
const O_CLOEXEC = 0x8_0000;
// asm-generic/mman-common.h
const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_SHARED = 0x1;
const MAP_PRIVATE = 0x2;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
/** mmap fails with (void *) -1; runtimes differ in how they show that, but no address is so high. */
const MAX_ADDRESS = 1n << 63n;

/** The largest view that every runtime makes: Bun's limit, exactly. */
export const MAX_VIEW: bigint = 1n << 32n;

/** The C library with errors that are thrown. */
export class Libc {
  readonly #c: RawLibc;

  constructor(raw: RawLibc) {
    this.#c = raw;
  }

  /** Opens a file or device to read and write, and returns its descriptor. */
  open(path: string): number {
    const fd = this.#c.open(new TextEncoder().encode(`${path}\0`), O_RDWR | O_CLOEXEC);
    if (fd < 0) throw new SystemError(`open ${path}`, this.#c.errno());
    return fd;
  }

  close(fd: number): void {
    this.#c.close(fd);
  }

  /** Calls ioctl; `name` is for the error's message. */
  ioctl(name: string, fd: number, request: number, argument: number | Uint8Array = 0): number {
    const result = this.#c.ioctl(fd, request, argument);
    if (result < 0) throw new SystemError(`call ${name}`, this.#c.errno());
    return result;
  }

  /** Memory that reads as zero. What is never touched takes no room, so it may be large. */
  mapMemory(size: number): Mapping {
    return this.#map(size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  }

  /** Memory that a device shares with us. */
  mapDevice(fd: number, size: number): Mapping {
    return this.#map(size, MAP_SHARED, fd);
  }

  #map(size: number, flags: number, fd: number): Mapping {
    const address = this.#c.mmap(size, PROT_READ_WRITE, flags, fd);
    if (address >= MAX_ADDRESS) throw new SystemError(`map ${size} bytes`, this.#c.errno());
    return { address, bytes: this.#c.view(address, size) };
  }

  unmap({ address, bytes }: Mapping): void {
    this.#c.munmap(address, bytes.length);
  }
}

/**
 * Loads the C library.
 *
 * @returns The library.
 * @throws {Error} If this is neither Deno nor Bun, or there is no glibc.
 */
export async function loadLibc(): Promise<Libc> {
  if ("Deno" in globalThis) return new Libc((await import("./libc_deno.ts")).openLibc());
  if ("Bun" in globalThis) return new Libc(await (await import("./libc_bun.ts")).openLibc());
  throw new Error("Cannot call the C library: this runtime has no FFI, Deno or Bun is wanted");
}
