import { assertEquals } from "@std/assert";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  findMirror,
  parseDeb822Sources,
  parseSourcesList,
  parseStanzas,
  readAptSources,
} from "./apt_sources.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

describe("parseSourcesList", () => {
  it("reads lines with and without options, and skips all that is no binary archive", () => {
    const text = `# deb http://commented.example/debian bookworm main
deb http://m.example/debian/ bookworm main contrib # a comment
  deb	[ arch=amd64,arm64 signed-by=${KEYRING} ]  http://s.example/debian-security bookworm-security main
deb-src http://m.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main

deb http://flat.example/ ./
deb
`;
    assertEquals(parseSourcesList(text), [
      {
        uri: "http://m.example/debian/",
        suite: "bookworm",
        components: ["main", "contrib"],
        signedBy: [],
      },
      {
        uri: "http://s.example/debian-security",
        suite: "bookworm-security",
        components: ["main"],
        signedBy: [KEYRING],
      },
      { uri: "http://flat.example/", suite: "./", components: [], signedBy: [] },
    ]);
  });
});

describe("parseDeb822Sources", () => {
  it("reads each pair of URI and suite", () => {
    const text = `Types: deb deb-src
# http://commented.example
URIs: http://a.example/debian http://b.example/debian
suites: bookworm
 bookworm-updates
Components: main contrib
Signed-By: ${KEYRING}
`;
    const common = { components: ["main", "contrib"], signedBy: [KEYRING] };
    assertEquals(parseDeb822Sources(text), [
      { ...common, uri: "http://a.example/debian", suite: "bookworm" },
      { ...common, uri: "http://a.example/debian", suite: "bookworm-updates" },
      { ...common, uri: "http://b.example/debian", suite: "bookworm" },
      { ...common, uri: "http://b.example/debian", suite: "bookworm-updates" },
    ]);
  });

  it("skips stanzas that are disabled or only sources, and embedded keys", () => {
    const text = `Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: sid
Components: main

Types: deb-src
URIs: http://src.example/debian
Suites: sid
Components: main


Types: deb
Enabled: yes
URIs: http://on.example/debian
Suites: sid
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0srwuhlB6JKFkcf4HU4SSS
 -----END PGP PUBLIC KEY BLOCK-----
`;
    assertEquals(parseDeb822Sources(text), [
      { uri: "http://on.example/debian", suite: "sid", components: ["main"], signedBy: [] },
    ]);
  });
});

describe("parseStanzas", () => {
  it("keeps values with colons, joins continuation lines, and ignores stray ones", () => {
    const text = " stray\nA: b: c\nLong:\n one\n\ttwo\n\n\nB-c:d\n";
    assertEquals(parseStanzas(text), [{ a: "b: c", long: "\none\ntwo" }, { "b-c": "d" }]);
  });
});

describe("readAptSources", () => {
  it("reads sources.list, *.list and *.sources, and nothing that APT ignores", () => {
    const directory = mkdtempSync(join(tmpdir(), "apt-sources-test-"));
    try {
      const line = (name: string) => `deb http://${name}.example/debian sid main\n`;
      mkdirSync(join(directory, "sources.list.d"));
      writeFileSync(join(directory, "sources.list"), line("main"));
      writeFileSync(join(directory, "sources.list.d/a.list"), line("a"));
      writeFileSync(join(directory, "sources.list.d/c.list.disabled"), line("c"));
      writeFileSync(
        join(directory, "sources.list.d/b.sources"),
        "Types: deb\nURIs: http://b.example/debian\nSuites: sid\nComponents: main\n",
      );
      const uris = readAptSources(directory).map(({ uri }) => uri);
      assertEquals(uris, ["main", "a", "b"].map((name) => `http://${name}.example/debian`));
      assertEquals(readAptSources(join(directory, "absent")), []);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("findMirror", () => {
  const find = (text: string) => {
    const sources = parseSourcesList(text);
    return [findMirror(sources, "debian")?.uri, findMirror(sources, "debian-security")?.uri];
  };

  it("tells the two archives apart by their suites", () => {
    const text = `deb http://m.example/debian bookworm main
deb http://m.example/debian bookworm-updates main
deb http://s.example/debian-security bookworm-security main`;
    assertEquals(find(text), ["http://m.example/debian", "http://s.example/debian-security"]);
  });

  it("takes every usual form of an address", () => {
    for (
      const [debian, security, suite] of [
        ["http://deb.debian.example/debian", "http://security.debian.example", "trixie-security"],
        [
          "http://deb.debian.example/debian/",
          "http://security.debian.example/",
          "bullseye-security",
        ],
        [
          "http://snapshot.debian.example/archive/debian/20250520T000000Z",
          "http://snapshot.debian.example/archive/debian-security/20250520T000000Z",
          "bookworm-security",
        ],
        [
          "mirror+file:/etc/apt/mirrors/debian.list",
          "mirror+file:/etc/apt/mirrors/debian-security.list",
          "bookworm-security",
        ],
      ]
    ) {
      const text = `deb ${debian} bookworm main\ndeb ${security} ${suite} main\n`;
      assertEquals(find(text), [debian, security]);
    }
  });

  it("takes no third party's archive, and prefers one that Debian's keys sign", () => {
    const third = `deb https://d.example/linux/debian bookworm stable
deb https://p.example/debian/12/prod bookworm main
deb https://pg.example/apt bookworm-pgdg main
deb https://c.example/deb/ stable main
`;
    assertEquals(find(third), [undefined, undefined]);
    const runner = "deb [signed-by=/k/runner.gpg] https://r.example/runner/debian bookworm main\n";
    const plain = "deb http://m.example/debian bookworm main\n";
    const signed = `deb [signed-by=${KEYRING}] http://z.example/own bookworm main\n`;
    assertEquals(find(third + runner + plain)[0], "http://m.example/debian");
    assertEquals(find(third + runner + plain + signed)[0], "http://z.example/own");
  });

  it("takes nothing of Ubuntu's", () => {
    const text = `deb http://archive.ubuntu.example/ubuntu noble main universe
deb http://security.ubuntu.example/ubuntu noble-security main`;
    assertEquals(find(text), [undefined, undefined]);
  });
});
