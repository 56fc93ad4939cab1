/** What a runtime's FFI gives: the C functions as they are. Addresses are bigints, results unchecked. */
export interface RawLibc {
  open(path: Uint8Array, flags: number): number;
  close(fd: number): number;
  ioctl(fd: number, request: number, argument: number | Uint8Array): number;
  mmap(size: number, protection: number, flags: number, fd: number): bigint;
  munmap(address: bigint, size: number): number;
  /** The value of errno. */
  errno(): number;
  /** A view of memory: not a copy, and it dangles after munmap. */
  view(address: bigint, size: number): Uint8Array;
}
