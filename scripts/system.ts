/**
 * Which system this is, as far as installing programs on it goes.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";

/** A package manager that we know the packages' names for. */
export type PackageManager = "apt" | "dnf" | "pacman" | "brew";

/** What decides whether tools can be installed. */
export interface System {
  /** The operating system, as in `process.platform`. */
  platform: string;
  /** The content of os-release; empty if there is none. */
  osRelease: string;
  /** Whether this process is root's. */
  isRoot: boolean;
  /** The directories of programs. */
  path: string;
}

/** A distribution's package manager, by the names in os-release. */
const FAMILIES: Record<string, PackageManager> = {
  debian: "apt",
  ubuntu: "apt",
  fedora: "dnf",
  rhel: "dnf",
  centos: "dnf",
  arch: "pacman",
};
/**
 * Parses os-release(5).
 *
 * @param text The file's content.
 * @returns Its variables.
 */
export function parseOsRelease(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*?)\s*$/.exec(line);
    if (match === null) continue;
    const [, name, value] = match;
    const quoted = /^(["'])(.*)\1$/.exec(value);
    variables[name] = quoted === null ? value : quoted[2].replace(/\\(["'$`\\])/g, "$1");
  }
  return variables;
}

/**
 * Finds out which package manager a system has.
 *
 * @param system The system.
 * @returns Its package manager, or `undefined` if it is none that we know.
 */
export function packageManager(
  system: Pick<System, "platform" | "osRelease">,
): PackageManager | undefined {
  if (system.platform === "darwin") return "brew";
  const { ID = "", ID_LIKE = "" } = parseOsRelease(system.osRelease);
  return [ID, ...ID_LIKE.split(" ")].map((name) => FAMILIES[name]).find((one) => one !== undefined);
}

/**
 * Describes this very system.
 *
 * @returns What decides whether tools can be installed on it.
 */
export function thisSystem(): System {
  let osRelease = "";
  for (const path of ["/usr/lib/os-release", "/etc/os-release"]) {
    try {
      osRelease = readFileSync(path, "utf8");
    } catch {
      // Not on every system
    }
  }
  return {
    platform: process.platform,
    osRelease,
    isRoot: process.getuid?.() === 0,
    path: process.env.PATH ?? "",
  };
}
