import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { headingsIn, linksIn, topLevelOffences } from "./check_files.ts";
import { exampleErrors, publishedOffences } from "./check_package.ts";

const TEXT = `
# The \`one\` call: fast, [linked](x.md)

See [a](a.md), [b](<b/c.md#d-e> "title"), ![p](img/p.png), [w](https://x.y/z) and [here](#top).
Not \`[code](no.md)\`.

\`\`\`md
# No heading
[fenced](no.md)
\`\`\`

## Twice
## Twice
[r]: ref.md
`;

describe("linksIn", () => {
  it("finds relative links, and none in code", () => {
    assertEquals(linksIn(TEXT), ["x.md", "a.md", "b/c.md#d-e", "img/p.png", "#top", "ref.md"]);
  });
});

describe("headingsIn", () => {
  it("makes the anchors that GitHub makes", () => {
    assertEquals(headingsIn(TEXT), ["the-one-call-fast-linked", "twice", "twice-1"]);
  });
});

describe("topLevelOffences", () => {
  it("names what should not lie at the top, once", () => {
    const files = [".github/workflows/ci.yml", "src/boot.ts", "mod.ts", "docs/a.md", "docs/b.md"];
    const [line, ...rest] = topLevelOffences(files);
    assertEquals([line.split(" ")[0], rest], ["docs", []]);
  });
});

describe("publishedOffences", () => {
  const graph = new Map([["mod.ts", ["src/boot.ts"]], ["src/boot.ts", ["npm:/x@1"]]]);

  it("accepts the library and its papers", () => {
    const files = ["LICENSE", "README.md", "deno.json", "mod.ts", "src/boot.ts"];
    assertEquals(publishedOffences(files, graph, ["mod.ts"]), []);
  });

  it("names what should not be published, and what is missing", () => {
    const files = ["mod.ts", "src/boot_test.ts", "src/x_bench.ts", "scripts/test.ts"];
    assertEquals(publishedOffences(files, graph, ["mod.ts"]), [
      "src/boot_test.ts would be published, and should not",
      "src/x_bench.ts would be published, and should not",
      "scripts/test.ts would be published, and should not",
      "src/boot.ts is needed by an entry point, and would not be published",
    ]);
  });
});

describe("exampleErrors", () => {
  const unused = "TS6133 [ERROR]: 'boot' is declared but its value is never read.\n    at a.ts:1:1";
  const wrong = "TS2305 [ERROR]: Module has no exported member 'x'.\nimport { x } from \"y\";";
  const end = "Found 2 errors.\n\nerror: Type checking failed.";

  it("leaves out what is only unused", () => {
    assertEquals(exampleErrors([unused, wrong, end].join("\n\n")), [wrong]);
    assertEquals(exampleErrors([unused, end].join("\n\n")), []);
    const coloured = "\u001b[0m\u001b[1mTS6133 \u001b[0m[ERROR]: 'boot' is declared";
    assertEquals(exampleErrors(coloured), []);
  });

  it("does not judge other failures", () => {
    assertEquals(exampleErrors("error: Module not found"), undefined);
  });
});
