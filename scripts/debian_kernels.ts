/**
 * Debian's kernels: which ones there are, and fetching them into the cache.
 *
 * Exact versions vanish from the mirrors with every point release. So the newest one of a series is
 * taken, from the first suite that has the series, and the record beside the kernel says which one
 * that was.
 *
 * @module
 */
import { readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type DebianArchive, findMirror, type Mirror, readAptSources } from "./apt_sources.ts";
import { findOnPath, lastLines, pipeline } from "./children.ts";
import { newest } from "./debian_version.ts";
import { diskFull, freeBytes, isDiskFull } from "./disk_space.ts";
import { type CachedKernel, type CacheEntry, readCache, writeCache } from "./kernel_cache.ts";
import { megabytes, type PackageInfo, PrivateApt } from "./private_apt.ts";
import { makeWorkDirectory } from "./work_directory.ts";

export type { CachedKernel, CacheEntry } from "./kernel_cache.ts";

/** A guest architecture that there are kernels for. */
export type KernelArch = "x86_64" | "aarch64" | "i386" | "riscv64";

/** A kernel of the catalogue. */
export interface KernelRow {
  /** Its name in case ids; unique together with `arch`. */
  id: string;
  /** The series, e.g. `6.1`. */
  series: string;
  /** The guest's architecture. */
  arch: KernelArch;
  /** The same, by Debian's name. */
  debianArch: string;
  /** Where to look. The first one that has the series wins; a later one may be far bigger. */
  suites: readonly { archive: DebianArchive; suite: string }[];
  /** The names of the packages, of the plain flavour, with the kernel in them. */
  packages: RegExp;
}

const BOOKWORM_SECURITY = { archive: "debian-security", suite: "bookworm-security" } as const;
const BOOKWORM = { archive: "debian", suite: "bookworm" } as const;
const TRIXIE_SECURITY = { archive: "debian-security", suite: "trixie-security" } as const;
const TRIXIE = { archive: "debian", suite: "trixie" } as const;

/** The kernels that can be fetched. */
export const catalogue: readonly KernelRow[] = [
  {
    id: "debian-6.1",
    series: "6.1",
    arch: "x86_64",
    debianArch: "amd64",
    suites: [BOOKWORM_SECURITY, BOOKWORM],
    packages: /^linux-image-6\.1\.\d+-\d+-amd64-unsigned$/,
  },
  {
    id: "debian-6.12",
    series: "6.12",
    arch: "x86_64",
    debianArch: "amd64",
    suites: [BOOKWORM_SECURITY],
    packages: /^linux-image-6\.12\.\d+\+deb12-amd64-unsigned$/,
  },
  {
    id: "debian-6.1",
    series: "6.1",
    arch: "aarch64",
    debianArch: "arm64",
    suites: [BOOKWORM_SECURITY, BOOKWORM],
    packages: /^linux-image-6\.1\.\d+-\d+-arm64-unsigned$/,
  },
  {
    id: "debian-6.12",
    series: "6.12",
    arch: "aarch64",
    debianArch: "arm64",
    suites: [BOOKWORM_SECURITY],
    packages: /^linux-image-6\.12\.\d+\+deb12-arm64-unsigned$/,
  },
  {
    id: "debian-6.1",
    series: "6.1",
    arch: "i386",
    debianArch: "i386",
    suites: [BOOKWORM_SECURITY, BOOKWORM],
    packages: /^linux-image-6\.1\.\d+-\d+-686-unsigned$/,
  },
  {
    id: "debian-6.12",
    series: "6.12",
    arch: "riscv64",
    debianArch: "riscv64",
    suites: [TRIXIE_SECURITY, TRIXIE],
    packages: /^linux-image-6\.12\.\d+\+deb13-riscv64$/, // not signed, so not "unsigned" either
  },
];

/** Why a kernel cannot even be tried for on this system. */
export interface Unavailable {
  /** What is missing. */
  reason: string;
  /** What to do about it. */
  hint: string;
}

/** A kernel, or why there is none. */
export type FetchResult =
  | CachedKernel & { unavailable?: undefined }
  | { unavailable: Unavailable };

/** Options of {@linkcode fetchKernel}. */
export interface FetchOptions {
  /** Told about what takes time. */
  log?: (line: string) => void;
  /** Stops the fetching, children included. */
  signal?: AbortSignal;
  /** Whether to look for a newer version than the cached one. */
  refresh?: boolean;
  /** Where APT's configuration is. Default: `/etc/apt`. */
  aptDirectory?: string;
}

/** Room for a kernel beside its package: the largest here, an arm64 Image, has 44 MB. */
const KERNEL_ROOM = 64e6;
/** Room for the index, and for a package that is not known yet. */
const PACKAGE_ROOM = 128e6;

/** What to do where no kernel can be fetched. */
const HINT = "pass a kernel of your own with --kernel PATH";

/**
 * Looks up a kernel in the cache, and checks it. Needs no network.
 *
 * @param cacheDir The cache, e.g. `.cache`.
 * @param id The kernel's id, e.g. `debian-6.1`.
 * @param arch The guest's architecture.
 * @returns The kernel, or `undefined` if there is none, or what is there is damaged.
 * @throws {TypeError} If there is no such kernel in the catalogue.
 */
export function cachedKernel(
  cacheDir: string,
  id: string,
  arch: KernelArch,
): CachedKernel | undefined {
  return cacheEntry(cacheDir, id, arch).kernel;
}

/**
 * Looks up a kernel in the cache like {@linkcode cachedKernel}, and says what is damaged.
 *
 * @param cacheDir The cache, e.g. `.cache`.
 * @param id The kernel's id, e.g. `debian-6.1`.
 * @param arch The guest's architecture.
 * @returns What is there.
 * @throws {TypeError} If there is no such kernel in the catalogue.
 */
export function cacheEntry(cacheDir: string, id: string, arch: KernelArch): CacheEntry {
  return readCache(directoryOf(cacheDir, rowOf(id, arch)));
}

/**
 * Gets a kernel: from the cache if it is there and whole, else from the system's Debian mirror.
 *
 * @param cacheDir The cache, e.g. `.cache`.
 * @param id The kernel's id, e.g. `debian-6.1`.
 * @param arch The guest's architecture.
 * @param options How.
 * @returns The kernel, or why this system cannot fetch one.
 * @throws {TypeError} If there is no such kernel in the catalogue.
 * @throws {Error} If it was tried and failed.
 * @throws {unknown} The signal's reason, once everything has stopped.
 */
export async function fetchKernel(
  cacheDir: string,
  id: string,
  arch: KernelArch,
  options: FetchOptions = {},
): Promise<FetchResult> {
  const row = rowOf(id, arch);
  const { log = () => {}, signal } = options;
  signal?.throwIfAborted();
  const directory = directoryOf(cacheDir, row);
  const cached = readCache(directory);
  if (cached.damage !== undefined) log(`Not using the cached ${id} for ${arch}: ${cached.damage}`);
  if (cached.kernel !== undefined && !options.refresh) return cached.kernel;

  const places = findPlaces(row, options.aptDirectory);
  if (!Array.isArray(places)) return { unavailable: places };

  let work: string | undefined;
  let wanted = PACKAGE_ROOM + KERNEL_ROOM;
  try {
    work = makeWorkDirectory(resolve(cacheDir, "tmp"));
    const found = await findPackage(row, places, work, log, signal);
    if (cached.kernel?.debSha256 === found.info.sha256) return cached.kernel;
    const { name, version, size, sha256 } = found.info;
    wanted = size + KERNEL_ROOM;
    if (freeBytes(work) < size) throw new Error(diskFull(cacheDir, freeBytes(work), wanted));
    log(`Downloading ${name} ${version} (${megabytes(size)}) …`);
    const start = performance.now();
    const deb = await found.apt.download(found.info, log);
    log(`Unpacking the kernel (downloaded in ${seconds(start)}) …`);
    const kernel = await unpackKernel(deb, work, signal);
    const origin = { package: name, version, debSha256: sha256 };
    const result = writeCache(directory, kernel, origin);
    log(`Cached ${result.name}, ${megabytes(result.size)}, in ${seconds(start)}`);
    return result;
  } catch (cause) {
    signal?.throwIfAborted();
    let message = cause instanceof Error ? cause.message : String(cause);
    const free = freeBytes(cacheDir);
    if (isDiskFull(message, free)) message = `${diskFull(cacheDir, free, wanted)}\n${message}`;
    throw new Error(`Cannot fetch ${id} for ${arch}: ${message}`, { cause });
  } finally {
    if (work !== undefined) rmSync(work, { recursive: true, force: true });
  }
}

/** A suite and the mirror that has it. */
interface Place {
  mirror: Mirror;
  suite: string;
}

/** Where this system can look for a kernel, or why it cannot. */
function findPlaces(row: KernelRow, aptDirectory?: string): Place[] | Unavailable {
  for (const tool of ["apt-get", "apt-cache", "dpkg-deb", "tar"]) {
    if (findOnPath(tool) === undefined) return { reason: `there is no ${tool} here`, hint: HINT };
  }
  const sources = readAptSources(aptDirectory);
  const places = row.suites.flatMap(({ archive, suite }) => {
    const mirror = findMirror(sources, archive);
    return mirror === undefined ? [] : [{ mirror, suite }];
  });
  if (places.length > 0) return places;
  const archives = [...new Set(row.suites.map(({ archive }) => archive))].join(" or ");
  return { reason: `the system's APT sources name no mirror of ${archives}`, hint: HINT };
}

/** Finds the newest package of a series, in the first suite that has the series. */
async function findPackage(
  row: KernelRow,
  places: readonly Place[],
  work: string,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<{ apt: PrivateApt; info: PackageInfo }> {
  const failures: string[] = [];
  for (const { mirror, suite } of places) {
    const directory = join(work, suite);
    const apt = new PrivateApt(directory, { mirror, suite, architecture: row.debianArch, signal });
    log(`Looking for ${row.id} in ${suite} for ${row.debianArch} …`);
    try {
      await apt.update();
      const info = newest(await apt.list(row.packages));
      if (info !== undefined) return { apt, info };
      failures.push(`${suite}: no package matches ${row.packages.source}`);
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`${suite}: ${error instanceof Error ? error.message : String(error)}`);
    }
    log(`  ${failures.at(-1)!.split("\n").slice(0, 2).join(":").replace(/\s+/g, " ")}`);
  }
  throw new Error(["it was found in no suite", ...failures].join("\n"));
}

/** Unpacks the kernel alone, out of the package's many modules. */
async function unpackKernel(deb: string, work: string, signal?: AbortSignal): Promise<string> {
  const [pack, unpack] = await pipeline([
    ["dpkg-deb", "--fsys-tarfile", deb],
    ["tar", "--extract", "--directory", work, "--wildcards", "./boot/vmlinu[xz]-*"],
  ], { signal });
  if (pack.code !== 0 || unpack.code !== 0) {
    const said = [pack, unpack].flatMap(({ stderr }) => lastLines(stderr, 3)).join("; ");
    throw new Error(`Cannot unpack the package: exit codes ${pack.code}, ${unpack.code}: ${said}`);
  }
  const boot = join(work, "boot");
  const names = readdirSync(boot);
  if (names.length !== 1) {
    throw new Error(`Cannot unpack the package: it has ${names.length} kernels, one is wanted`);
  }
  return join(boot, names[0]);
}

/** A kernel's own directory. */
function directoryOf(cacheDir: string, row: KernelRow): string {
  return resolve(cacheDir, "kernels", `${row.id}-${row.arch}`);
}

/** Finds a row of the catalogue. */
function rowOf(id: string, arch: KernelArch): KernelRow {
  const row = catalogue.find((row) => row.id === id && row.arch === arch);
  if (row !== undefined) return row;
  const known = catalogue.map((row) => `${row.id} for ${row.arch}`).join(", ");
  throw new TypeError(`Cannot find kernel ${id} for ${arch}: known are ${known}`);
}

/** How long it took, for people. */
function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
