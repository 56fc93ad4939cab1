/**
 * The system's own APT sources: reading them, and finding the Debian mirrors among them.
 *
 * The formats: sources.list(5).
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One archive that APT takes binary packages from. */
export interface AptSource {
  /** Where the archive is. */
  uri: string;
  /** The suite, e.g. `bookworm-security`. */
  suite: string;
  /** Its components, e.g. `main`. */
  components: string[];
  /** The keyring files that it names, if any. */
  signedBy: string[];
}

/** The two archives of Debian. */
export type DebianArchive = "debian" | "debian-security";

/** Where a Debian archive is. */
export interface Mirror {
  /** Its address, as the system's sources have it. */
  uri: string;
  /** The keyring files that its source names, if any. */
  signedBy: string[];
}

/** Releases that have the kernels of the catalogue, or whose mirrors carry those releases too. */
const RELEASES = [
  ...["bullseye", "bookworm", "trixie", "forky", "duke", "sid"],
  ...["oldoldstable", "oldstable", "stable", "testing", "unstable"],
];

/**
 * Parses one-line sources, as in `sources.list`.
 *
 * @param text The file's content.
 * @returns Its archives of binary packages, in order.
 */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+([^#]*)/.exec(line);
    if (match === null) continue; // a comment, a blank line, or deb-src
    const [, options = "", uri, rest] = match;
    const [suite, ...components] = words(rest);
    if (suite === undefined || uri.startsWith("cdrom:")) continue;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1] ?? "";
    sources.push({ uri, suite, components, signedBy: keyrings(signedBy) });
  }
  return sources;
}

/**
 * Parses deb822 sources, as in `debian.sources`.
 *
 * @param text The file's content.
 * @returns Its archives of binary packages, one for each pair of URI and suite, in order.
 */
export function parseDeb822Sources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const stanza of parseStanzas(text)) {
    if (["no", "false", "without", "off", "disable"].includes(stanza.enabled?.toLowerCase())) {
      continue;
    }
    if (!words(stanza.types).includes("deb")) continue;
    const signedBy = keyrings(stanza["signed-by"] ?? "");
    for (const uri of words(stanza.uris)) {
      for (const suite of words(stanza.suites)) {
        sources.push({ uri, suite, components: words(stanza.components), signedBy });
      }
    }
  }
  return sources;
}

/**
 * Parses stanzas of fields, as in deb822 sources and in package indexes.
 *
 * @param text The stanzas, with blank lines between them; lines that start with `#` are comments.
 * @returns The fields of each stanza, by their names in lower case.
 */
export function parseStanzas(text: string): Record<string, string>[] {
  const stanzas: Record<string, string>[] = [];
  let fields: Record<string, string> = {};
  let last = "";
  for (const line of [...text.split("\n"), ""]) {
    if (line.startsWith("#")) continue;
    const field = /^([^\s:]+):\s*(.*?)\s*$/.exec(line);
    if (line.trim() === "") {
      if (Object.keys(fields).length > 0) stanzas.push(fields);
      fields = {};
      last = "";
    } else if (/^\s/.test(line) && last !== "") fields[last] += "\n" + line.trim();
    else if (field !== null) fields[last = field[1].toLowerCase()] = field[2];
  }
  return stanzas;
}

/**
 * Reads the system's APT sources.
 *
 * @param directory Where APT's configuration is.
 * @returns All archives of binary packages; none where there is no APT.
 */
export function readAptSources(directory: string = "/etc/apt"): AptSource[] {
  const sources: AptSource[] = [];
  const add = (path: string, parse: (text: string) => AptSource[]) => {
    if (existsSync(path)) sources.push(...parse(readFileSync(path, "utf8")));
  };
  add(join(directory, "sources.list"), parseSourcesList);
  const parts = join(directory, "sources.list.d");
  for (const name of existsSync(parts) ? readdirSync(parts).sort() : []) {
    if (name.endsWith(".list")) add(join(parts, name), parseSourcesList);
    if (name.endsWith(".sources")) add(join(parts, name), parseDeb822Sources);
  }
  return sources;
}

/**
 * Finds the mirror of a Debian archive among APT sources. A mirror carries every release, so the
 * system's own one need not be the one that is looked for.
 *
 * @param sources The system's sources.
 * @param archive The archive to look for.
 * @returns The mirror, or `undefined` if no source is one, as on Ubuntu.
 */
export function findMirror(
  sources: readonly AptSource[],
  archive: DebianArchive,
): Mirror | undefined {
  let best: Mirror | undefined;
  let bestLikelihood = 0;
  for (const source of sources) {
    const likelihood = mirrorLikelihood(source, archive);
    if (likelihood <= bestLikelihood) continue;
    best = { uri: source.uri, signedBy: source.signedBy };
    bestLikelihood = likelihood;
  }
  return best;
}

/** 0 if a source is no mirror of the archive, else more the surer it is one. */
function mirrorLikelihood(source: AptSource, archive: DebianArchive): number {
  // Before bullseye: buster/updates
  const [, release, part] = /^([a-z]+)(.*)$/.exec(source.suite.replace("/updates", "-security")) ??
    [];
  const parts = archive === "debian" ? ["", "-updates", "-backports"] : ["-security"];
  if (!RELEASES.includes(release) || !parts.includes(part)) return 0;
  // Third parties name their suites after Debian's too, with a component "main"
  if (!source.components.includes("main")) return 0;
  if (source.signedBy.some((path) => path.includes("debian-archive"))) return 4;
  // Debian's own hosts; the one for security updates has no path
  if (/^[a-z]+:\/\/(?:[^/]*\.)?debian\.[a-z]+(?:[:/]|$)/.test(source.uri)) return 3;
  // Also mirror+file:/etc/apt/mirrors/debian.list
  if (!/\/debian[\w.-]*\/?$/.test(source.uri)) return 0;
  return source.signedBy.length === 0 ? 2 : 1;
}

/** The words of a field. */
function words(text: string | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}

/** The files that a Signed-By names; it may hold fingerprints or a whole key instead. */
function keyrings(value: string): string[] {
  return value.split(/[\s,]+/).filter((word) => word.startsWith("/"));
}
