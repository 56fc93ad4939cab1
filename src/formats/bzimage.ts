import { formatAddress } from "../address.ts";
import { fieldError } from "../errors.ts";
import { requireBytes } from "../bytes.ts";
import { type KernelSource, readHead } from "../source.ts";
import {
  HDRS_MAGIC,
  LOADED_HIGH,
  SETUP_HEADER,
  SETUP_HEADER_OFFSET,
  SETUP_HEADER_SINCE,
  type SetupHeader,
} from "../structs/bootparam.ts";

/**
 * The fields of setup_header that a file has: a field is absent if the file's protocol version
 * predates it, or if the header ends before it.
 */
export type PresentSetupHeader =
  & Pick<SetupHeader, "setup_sects" | "syssize" | "boot_flag" | "version" | "loadflags">
  & Partial<SetupHeader>;

/** What a bzImage says. */
export interface BzImageKernel {
  /** The tag of this description. */
  readonly format: "bzimage";
  /** The fields that the file has, as they are in it. */
  readonly header: PresentSetupHeader;
  /** setup_header as it is in the file, from 0x1f1 to where byte 0x201 says that it ends. */
  readonly headerBytes: Uint8Array;
  /** Where the protected-mode kernel starts: bytes from the start of the file. */
  readonly setupSize: number;
  /** Bytes of the protected-mode kernel, by syssize; the file may be shorter or longer. */
  readonly kernelSize: number;
  /** Bytes of the file after the setup. */
  readonly fileKernelSize: number;
}

/** boot.rst: the header ends this far from the start of the file, plus byte 0x201. */
const HEADER_END_BASE = 0x202;
/** Every field up to "loadflags", which even protocol 2.00 has. */
const OLDEST_HEADER_END = 0x212;
/** boot.rst, "setup_sects": 0 means 4. */
const DEFAULT_SETUP_SECTS = 4;
const SECTOR = 512;
/** boot.rst, "syssize": in 16-byte units. */
const SYSSIZE_UNIT = 16;

/**
 * Reads the header of a bzImage. That it boots is not said: which entries it has and where it wants
 * to be is the protocols' to judge.
 *
 * @param source The file.
 * @returns What it says.
 * @throws {LoaderError} `TRUNCATED`, `BZIMAGE_MAGIC`, `BZIMAGE_VERSION`, `BZIMAGE_LOADFLAGS`,
 * `SOURCE_FAILED`.
 */
export function parseBzImage(source: KernelSource): BzImageKernel {
  requireBytes(source.size, 0, OLDEST_HEADER_END, "setup_header");
  const head = readHead(source, HEADER_END_BASE + 0xff, "setup_header");
  const padded = new Uint8Array(SETUP_HEADER.size);
  padded.set(head.subarray(SETUP_HEADER_OFFSET, SETUP_HEADER_OFFSET + padded.length));
  const raw = SETUP_HEADER.read(padded);
  checkMagic(raw);

  const jump = raw.jump >>> 8; // byte 0x201, the distance of the jump at 0x200
  const headerEnd = Math.min(HEADER_END_BASE + jump, source.size);
  const headerBytes = head.subarray(SETUP_HEADER_OFFSET, headerEnd);
  const setupSize = ((raw.setup_sects || DEFAULT_SETUP_SECTS) + 1) * SECTOR;
  requireBytes(source.size, 0, setupSize, "real-mode setup (setup_sects)");
  return {
    format: "bzimage",
    header: presentFields(raw, headerEnd),
    headerBytes,
    setupSize,
    kernelSize: raw.syssize * SYSSIZE_UNIT,
    fileKernelSize: source.size - setupSize,
  };
}

/**
 * Where a field of setup_header lies in a bzImage, for errors.
 *
 * @param name The field.
 * @returns Its full name, and bytes from the start of the file.
 */
export function setupHeaderField(name: keyof SetupHeader): { field: string; offset: number } {
  return {
    field: `setup_header.${name}`,
    offset: SETUP_HEADER_OFFSET + SETUP_HEADER.fields[name].offset,
  };
}

function checkMagic({ header, version, loadflags }: SetupHeader): void {
  if (header !== HDRS_MAGIC) {
    throw fieldError(
      "BZIMAGE_MAGIC",
      setupHeaderField("header"),
      `${formatAddress(HDRS_MAGIC)} ("HdrS")`,
      formatAddress(header),
    );
  }
  if (version < 0x0200) {
    throw fieldError(
      "BZIMAGE_VERSION",
      setupHeaderField("version"),
      "at least 0x200",
      formatAddress(version),
    );
  }
  if ((loadflags & LOADED_HIGH) === 0) {
    throw fieldError(
      "BZIMAGE_LOADFLAGS",
      setupHeaderField("loadflags"),
      "LOADED_HIGH (bit 0): a bzImage, not a zImage",
      formatAddress(loadflags),
    );
  }
}

function presentFields(raw: SetupHeader, headerEnd: number): PresentSetupHeader {
  const present: Record<string, number | bigint> = {};
  for (const name of Object.keys(SETUP_HEADER.fields) as (keyof SetupHeader)[]) {
    const { offset, size } = SETUP_HEADER.fields[name];
    const end = SETUP_HEADER_OFFSET + offset + size;
    const isOldest = end <= OLDEST_HEADER_END;
    const since = SETUP_HEADER_SINCE[name] ?? 0x0200;
    if (isOldest || (raw.version >= since && end <= headerEnd)) present[name] = raw[name];
  }
  return present as unknown as PresentSetupHeader;
}
