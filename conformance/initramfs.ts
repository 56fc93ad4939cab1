/**
 * Builds an initramfs: a cpio archive in the "newc" format, in memory, the same bytes every time.
 *
 * The format: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 *
 * @module
 */

/** A device's number. */
export interface DeviceNumber {
  /** What kind of device, e.g. 5 for the console. */
  major: number;
  /** Which one of that kind. */
  minor: number;
}

/** One file, directory or device of an initramfs. */
export interface InitramfsEntry {
  /** Its path, with or without a leading slash. Its directory must come before it. */
  path: string;
  /** Type and permission bits, e.g. `S_IFREG | 0o755`. */
  mode: number;
  /** The content of a regular file, the target of a symbolic link. */
  data?: Uint8Array;
  /** The number of a device. */
  rdev?: DeviceNumber;
}

/** Options of {@linkcode buildInitramfs}. */
export interface InitramfsOptions {
  /** Pads the archive with zeros up to a multiple of this: 4, or a multiple of 4. Default: 4. */
  padTo?: number;
}

/** inode(7), the mask of the type bits. */
export const S_IFMT = 0o170000;
/** inode(7), a regular file. */
export const S_IFREG = 0o100000;
/** inode(7), a directory. */
export const S_IFDIR = 0o040000;
/** inode(7), a character device. */
export const S_IFCHR = 0o020000;
/** inode(7), a symbolic link. */
export const S_IFLNK = 0o120000;

/** buffer-format.rst, "c_magic" of an archive without checksums. */
const MAGIC = "070701";
/** buffer-format.rst: the magic and thirteen fields of eight hexadecimal digits. */
const HEADER_SIZE = 110;
/** buffer-format.rst, the name that ends an archive. */
const TRAILER = "TRAILER!!!";
/** buffer-format.rst: names and data are padded to this. */
const ALIGNMENT = 4;
/** The largest value of a header's field. */
const FIELD_MAX = 0xffff_ffff;

/**
 * Builds an initramfs.
 *
 * @param entries What is in it, directories before what they hold.
 * @param options How much to pad it.
 * @returns The archive, uncompressed; its size is a multiple of 4.
 * @throws {RangeError} If an entry is one that the kernel would not unpack as meant.
 *
 * @example
 * ```ts
 * const initrd = buildInitramfs([
 *   { path: "dev", mode: S_IFDIR | 0o755 },
 *   { path: "dev/console", mode: S_IFCHR | 0o600, rdev: { major: 5, minor: 1 } },
 *   { path: "init", mode: S_IFREG | 0o755, data: init },
 * ]);
 * ```
 */
export function buildInitramfs(
  entries: readonly InitramfsEntry[],
  options: InitramfsOptions = {},
): Uint8Array {
  const padTo = options.padTo ?? ALIGNMENT;
  if (!Number.isSafeInteger(padTo) || padTo <= 0 || padTo % ALIGNMENT !== 0) {
    throw new RangeError(`Cannot pad an initramfs: padTo is ${padTo}, a multiple of 4 is wanted`);
  }
  const directories = new Map<string, boolean>(); // path → whether it is a directory
  const parts: Uint8Array[] = [];
  entries.forEach((entry, index) => {
    const name = checkedName(entry, directories);
    parts.push(...record(name, index + 1, entry));
  });
  parts.push(...record(TRAILER, 0, { path: TRAILER, mode: 0 }));

  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const archive = new Uint8Array(roundUp(size, padTo));
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

/** Checks what the kernel would silently skip, and returns the name as the archive has it. */
function checkedName(entry: InitramfsEntry, seen: Map<string, boolean>): string {
  const name = entry.path.replace(/^\/+/, "");
  const cannot = (what: string) =>
    new RangeError(`Cannot add ${JSON.stringify(entry.path)} to an initramfs: ${what}`);
  if (name === TRAILER || name.split("/").some((part) => ["", ".", ".."].includes(part))) {
    throw cannot("its path is not a plain one, names separated by single slashes are wanted");
  }
  if (name.includes("\0")) throw cannot("its path holds a NUL, a path without one is wanted");
  if (seen.has(name)) throw cannot("its path is there already, each path once is wanted");
  const parent = name.slice(0, Math.max(0, name.lastIndexOf("/")));
  if (parent !== "" && seen.get(parent) !== true) {
    throw cannot(`no directory ${parent} comes before it, one is wanted`);
  }

  const type = entry.mode & S_IFMT;
  if (![S_IFREG, S_IFDIR, S_IFCHR, S_IFLNK].includes(type)) {
    throw cannot(
      `its mode is 0o${entry.mode.toString(8)}, ` +
        "the type of a file, directory, character device or symbolic link is wanted",
    );
  }
  const holdsData = type === S_IFREG || type === S_IFLNK;
  if (entry.data !== undefined && !holdsData) throw cannot("it has data, none is wanted");
  if (type === S_IFLNK && !entry.data?.length) throw cannot("it has no data, a target is wanted");
  if ((entry.rdev !== undefined) !== (type === S_IFCHR)) {
    throw cannot(`it has ${entry.rdev ? "a" : "no"} device number, only a device wants one`);
  }
  seen.set(name, type === S_IFDIR);
  return name;
}

/** One record: header, name and data, each padded. */
function record(name: string, inode: number, entry: InitramfsEntry): Uint8Array[] {
  const nameBytes = new TextEncoder().encode(name + "\0");
  const data = entry.data ?? new Uint8Array(0);
  const fields = [
    inode, // c_ino: ascending, so that no two are taken for links of one file
    entry.mode, // c_mode
    0, // c_uid
    0, // c_gid
    (entry.mode & S_IFMT) === S_IFDIR ? 2 : 1, // c_nlink
    0, // c_mtime
    data.length, // c_filesize
    0, // c_maj
    0, // c_min
    entry.rdev?.major ?? 0, // c_rmaj
    entry.rdev?.minor ?? 0, // c_rmin
    nameBytes.length, // c_namesize, with the NUL
    0, // c_chksum
  ];
  for (const value of fields) {
    if (!Number.isSafeInteger(value) || value < 0 || value > FIELD_MAX) {
      throw new RangeError(
        `Cannot add ${JSON.stringify(entry.path)} to an initramfs: a field is ${value}, ` +
          `an integer from 0 to ${FIELD_MAX} is wanted`,
      );
    }
  }
  const header = MAGIC + fields.map((value) => value.toString(16).padStart(8, "0")).join("");
  const head = new Uint8Array(roundUp(HEADER_SIZE + nameBytes.length, ALIGNMENT));
  head.set(new TextEncoder().encode(header));
  head.set(nameBytes, HEADER_SIZE);
  const padding = new Uint8Array(roundUp(data.length, ALIGNMENT) - data.length);
  return [head, data, padding];
}

/** The next multiple of a number. */
function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
