/**
 * Checks of the repository's files: what lies at the top, and where links lead.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { type Finding, findingOf, ROOT } from "./steps.ts";

/** What may lie at the top, besides dot-files. */
const TOP_LEVEL: readonly string[] = [
  ...["mod.ts", "src", "conformance", "kernels", "fuzz", "scripts"],
  ...["deno.json", "deno.lock", "package.json", "package-lock.json", "tsconfig.json"],
  ...["README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "PORTING.md"],
];

/**
 * Checks what Git tracks at the top of the repository.
 *
 * @returns What it found.
 */
export function checkTopLevel(): Finding {
  // The checkout may be another user's
  const args = ["-c", "safe.directory=*", "ls-files", "-z"];
  const git = spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  if (git.status !== 0) {
    return { outcome: "skipped", output: "git does not say which files are tracked" };
  }
  return findingOf(topLevelOffences(git.stdout.split("\0").filter((file) => file !== "")));
}

/**
 * Checks which entries lie at the top.
 *
 * @param files All tracked files.
 * @returns A line for each offence.
 */
export function topLevelOffences(files: readonly string[]): string[] {
  const entries = new Set(files.map((file) => file.split("/")[0]));
  return [...entries].filter((entry) => !entry.startsWith(".") && !TOP_LEVEL.includes(entry))
    .map((entry) => `${entry} is not one of the top-level entries: ${TOP_LEVEL.join(", ")}`);
}

/**
 * The Markdown files.
 *
 * @returns Their paths, relative to the root.
 */
export function markdownFiles(): string[] {
  const walk = (directory: string): string[] =>
    readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name);
      if (!entry.isDirectory()) return entry.name.endsWith(".md") ? [path] : [];
      return [".git", ".cache", "node_modules", "coverage"].includes(entry.name) ? [] : walk(path);
    });
  return walk("").sort();
}

/**
 * Checks that the links in *.md to files and headings of the repository lead there.
 *
 * @returns What it found.
 */
export function checkLinks(): Finding {
  return findingOf(
    markdownFiles().flatMap((file) =>
      linksIn(readFileSync(join(ROOT, file), "utf8")).flatMap((link) => {
        const [path, anchor] = link.split("#");
        const target = path === "" ? file : normalize(join(dirname(file), decodeURI(path)));
        const absolute = join(ROOT, target);
        if (target.startsWith("..") || !existsSync(absolute)) {
          return [`${file}: ${link} leads nowhere`];
        }
        if (anchor === undefined || !target.endsWith(".md")) return [];
        const headings = headingsIn(readFileSync(absolute, "utf8"));
        return headings.includes(anchor) ? [] : [`${file}: ${link}: no such heading`];
      })
    ),
  );
}

/**
 * The links in a Markdown text that are relative.
 *
 * @param text The text.
 * @returns The links' targets.
 */
export function linksIn(text: string): string[] {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, "");
  const inline = prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g);
  const references = prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm);
  return [...inline, ...references].map(([, link]) => link)
    .filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link));
}

/**
 * The anchors of a Markdown text's headings, as GitHub makes them.
 *
 * @param text The text.
 * @returns The anchors.
 */
export function headingsIn(text: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutFences(text).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)].map(([, heading]) => {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

function withoutFences(text: string): string {
  return text.replace(/^(\s*)(```+|~~~+)[^]*?^\s*\2\s*$/gm, "");
}
