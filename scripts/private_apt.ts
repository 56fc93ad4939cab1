/**
 * APT for a suite and an architecture that are not the system's, in a directory of its own: the
 * system's sources, lists and state stay as they are, and it works without root.
 *
 * The system's settings (proxies, credentials) hold, what would touch the system is overridden.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Mirror, parseStanzas } from "./apt_sources.ts";
import { lastLines, run, type RunResult } from "./children.ts";

/** A package, as an index describes it. */
export interface PackageInfo {
  /** Its name. */
  name: string;
  /** Its version. */
  version: string;
  /** SHA-256 of the .deb. */
  sha256: string;
  /** Size of the .deb in bytes. */
  size: number;
}

/** What {@linkcode PrivateApt} looks at. */
export interface PrivateAptOptions {
  /** The mirror. */
  mirror: Mirror;
  /** The suite, e.g. `bookworm-security`. */
  suite: string;
  /** The architecture, by Debian's name. */
  architecture: string;
  /** Stops the running child. */
  signal?: AbortSignal;
}

/** The keys of all Debian archives, in the package debian-archive-keyring. */
const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** How often a running download is reported, in milliseconds. */
const PROGRESS_MS = 5_000;
/** How many of a failed program's last lines an error repeats. */
const ERROR_LINES = 6;

/** One suite of one archive for one architecture. */
export class PrivateApt {
  readonly #directory: string;
  readonly #options: PrivateAptOptions;

  /**
   * Sets up the configuration.
   *
   * @param directory An empty directory for this alone.
   * @param options What to look at.
   */
  constructor(directory: string, options: PrivateAptOptions) {
    this.#directory = directory;
    this.#options = options;
    for (const part of ["state", "lists/partial", "cache/archives/partial", "download"]) {
      mkdirSync(join(directory, part), { recursive: true });
    }
    writeFileSync(join(directory, "state/status"), "");
    const { mirror, suite, architecture } = options;
    writeFileSync(join(directory, "sources.list"), sourceLine(mirror, suite));
    writeFileSync(join(directory, "apt.conf"), configuration(directory, architecture));
  }

  /**
   * Fetches the index. APT checks its signature.
   *
   * @throws {Error} If that fails.
   */
  async update(): Promise<void> {
    const result = await this.#apt("apt-get", ["update"]);
    if (result.code !== 0) throw new Error(`Cannot fetch the package index: ${what(result)}`);
  }

  /**
   * Lists the packages whose names match, all versions of each.
   *
   * @param names What the whole name must match.
   * @returns The packages.
   * @throws {Error} If the index cannot be read.
   */
  async list(names: RegExp): Promise<PackageInfo[]> {
    const all = await this.#apt("apt-cache", ["pkgnames"]);
    if (all.code !== 0) throw new Error(`Cannot list the packages: ${what(all)}`);
    const matching = all.stdout.split("\n").filter((name) => names.test(name));
    if (matching.length === 0) return [];
    const shown = await this.#apt("apt-cache", ["show", ...matching]);
    if (shown.code !== 0) throw new Error(`Cannot read the package index: ${what(shown)}`);
    return parsePackages(shown.stdout);
  }

  /**
   * Downloads a package and checks its hash.
   *
   * @param wanted The package.
   * @param log Told about the progress of a long download.
   * @returns The path of the .deb.
   * @throws {Error} If the download fails, or the hash is not the index's.
   */
  async download(wanted: PackageInfo, log: (line: string) => void): Promise<string> {
    const target = join(this.#directory, "download");
    const progress = setInterval(() => {
      const sizes = readdirSync(target).map((name) => sizeIfThere(join(target, name)));
      const done = sizes.reduce((sum, size) => sum + size, 0);
      log(`  ${megabytes(done)} of ${megabytes(wanted.size)}`);
    }, PROGRESS_MS);
    let result: RunResult;
    try {
      const args = ["download", `${wanted.name}=${wanted.version}`];
      result = await this.#apt("apt-get", args, target);
    } finally {
      clearInterval(progress);
    }
    const debs = readdirSync(target).filter((name) => name.endsWith(".deb"));
    if (result.code !== 0 || debs.length !== 1) {
      throw new Error(`Cannot download ${wanted.name}: ${what(result)}`);
    }
    const deb = join(target, debs[0]);
    const sha256 = await hashFile(deb, this.#options.signal);
    if (sha256 !== wanted.sha256) {
      throw new Error(
        `Cannot use ${wanted.name}: its SHA-256 is ${sha256}, the index says ${wanted.sha256}`,
      );
    }
    return deb;
  }

  #apt(command: string, args: string[], cwd: string = this.#directory): Promise<RunResult> {
    const configured = ["-c", join(this.#directory, "apt.conf"), ...args];
    return run(command, configured, { cwd, signal: this.#options.signal });
  }
}

/**
 * Reads what an index says about packages.
 *
 * @param text Stanzas of `apt-cache show`.
 * @returns The packages, without those that lack a field.
 */
export function parsePackages(text: string): PackageInfo[] {
  return parseStanzas(text).flatMap((stanza) => {
    const { package: name, version, sha256, size } = stanza;
    if (!name || !version || !/^[0-9a-f]{64}$/.test(sha256 ?? "") || !/^\d+$/.test(size ?? "")) {
      return [];
    }
    return [{ name, version, sha256, size: Number(size) }];
  });
}

/**
 * A size for people.
 *
 * @param bytes The size in bytes.
 * @returns It in megabytes, with one decimal.
 */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The one line of the private sources. */
function sourceLine(mirror: Mirror, suite: string): string {
  const keyrings = [...mirror.signedBy, DEBIAN_KEYRING].filter((path) => existsSync(path));
  const unique = [...new Set(keyrings)].join(",");
  // The system may be set to fetch more targets: AppStream data, lists of contents
  const options = ["target=Packages"];
  // Without a keyring: the keys that the system trusts anyway
  if (unique !== "") options.push(`signed-by=${unique}`);
  return `deb [${options.join(" ")}] ${mirror.uri} ${suite} main\n`;
}

/** apt.conf(5). Read last, after the system's own files. */
function configuration(directory: string, architecture: string): string {
  return `
#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Update::Error-Mode "any"; // otherwise an unreachable mirror is a warning
APT::Sandbox::User "root"; // the user _apt may not be able to enter the cache
Acquire::Languages "none";
Dir::State "${directory}/state";
Dir::State::status "${directory}/state/status";
Dir::State::Lists "${directory}/lists";
Dir::Cache "${directory}/cache";
Dir::Cache::archives "${directory}/cache/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::SourceList "${directory}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
`;
}

/** What a failed program said. */
function what(result: RunResult): string {
  const lines = lastLines(result.stderr || result.stdout, ERROR_LINES);
  return [`exit code ${result.code}`, ...lines].join("\n  ");
}

/** A file's size; 0 if it has just been renamed. */
function sizeIfThere(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** SHA-256 of a file. */
async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { signal })) hash.update(chunk);
  return hash.digest("hex");
}
