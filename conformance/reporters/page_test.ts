import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import { BrowserPage, findChromium } from "./chromium.ts";
import { PAGE_END, renderPage } from "./page.ts";
import { CASES, DOCUMENT, HOSTILE } from "./samples.ts";

const html = renderPage(DOCUMENT);

describe("renderPage", () => {
  it("names no address outside itself", () => {
    assertEquals(html.match(/(?:src|href)=|url\(|@import|https?:/g), null);
  });

  it("escapes what a guest printed, also in what is shown later", () => {
    const packed = /id="details">([^<]*)</.exec(html)![1];
    const details: string[] = JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString());
    assertEquals(details.length, CASES.length);
    for (const text of [html, ...details]) assert(!text.includes(HOSTILE.slice(0, 20)));
    assert(details.some((text) => text.includes("&lt;/pre&gt;&lt;/script&gt;")));
  });

  it("has a mark at its end, and says at its beginning that it was cut off until that is there", () => {
    assert(html.trimEnd().endsWith(PAGE_END));
    assert(html.indexOf("This page was cut off") < html.indexOf("<h1>"));
    assert(html.indexOf("#cut-off { display: none; }") > html.indexOf('id="details"'));
  });

  it("says what a run lacks", () => {
    assert(
      renderPage({ ...DOCUMENT, problems: ["shard 1 of 2 <is> missing"] })
        .includes("shard 1 of 2 &lt;is&gt; missing"),
    );
  });
});

const program = findChromium();

describe(
  "the page in Chromium",
  { skip: program === undefined && "chromium is not installed" },
  () => {
    let page: BrowserPage;
    let directory: string;
    before(async () => {
      directory = mkdtempSync(join(tmpdir(), "page-"));
      writeFileSync(join(directory, "index.html"), html);
      writeFileSync(join(directory, "cut.html"), html.slice(0, html.length / 2));
      page = await BrowserPage.open(program!);
      await open();
    });
    after(async () => {
      await page?.close();
      rmSync(directory, { recursive: true, force: true });
    });

    const open = (file = "index.html", hash = "") =>
      page.goto(pathToFileURL(join(directory, file)).href + hash);
    const shown = () =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll("details.case")].filter((e) => !e.hidden)
        .map((e) => e.querySelector(".id").textContent)`,
      );

    it("renders: red cases first, the matrix, what is open", async () => {
      const ids = await shown();
      assertEquals(ids.length, CASES.length);
      assertEquals(ids.slice(0, 4).some((id) => id.includes("microvm")), false);
      const text = await page.evaluate<string>("document.body.innerText");
      for (const part of ["2 passed", "4 failed", "2 skipped", "1 of 4 have no case"]) {
        assert(text.includes(part), part);
      }
      assert(!text.includes("cut off"), "cut off");
      assertEquals(page.complaints, []);
    });

    it("filters by words and by each list, and clears", async () => {
      const set = (name: string, value: string) =>
        page.evaluate(`(() => {
        const field = document.querySelector('[name="${name}"]');
        field.value = "${value}";
        field.dispatchEvent(new Event("input", { bubbles: true }));
      })()`);
      for (
        const [name, value, count] of [
          ["q", "ELF64 boot", 3],
          ["q", "req:pvh.cr0", 2],
          ["q", "nothing like it", 0],
          ["outcome", "red", 4],
          ["outcome", "skip", 1],
          ["arch", "aarch64", 4],
          ["protocol", "pvh", 2],
          ["driver", "qemu-kvm", 1],
          ["machine", "pc", 1],
        ] as const
      ) {
        await set(name, value);
        assertEquals((await shown()).length, count, `${name} ${value}`);
        const says = await page.evaluate("document.getElementById('count').textContent");
        assertEquals(says, `${count} of ${CASES.length} cases`);
        await set(name, "");
      }
      assertEquals((await shown()).length, CASES.length);
    });

    it("filters by a click on the matrix, and says so in the address", async () => {
      await page.evaluate(`document.querySelector(".matrix button.is-red").click()`);
      const ids = await shown();
      assert(ids.length > 0 && ids.length < CASES.length);
      const hash = await page.evaluate<string>("location.hash");
      await open("index.html", hash);
      assertEquals(await shown(), ids);
      await page.evaluate(`document.querySelector(".matrix button[aria-pressed=true]").click()`);
      assertEquals((await shown()).length, CASES.length);
    });

    it("opens a case by the keyboard, with its picture and what the guest said, and runs none of it", async () => {
      await open();
      await page.press("/", ..."microvm pvh");
      assertEquals((await shown()).length, 1);
      await page.evaluate(`document.querySelector("details.case:not([hidden]) summary").focus()`);
      await page.press("Enter");
      await page.until(`document.querySelector("details.case[open] svg")`);
      const text = await page.evaluate<string>(
        "document.querySelector('details.case[open]').innerText",
      );
      for (const part of ["initrd", "0x17fff6000", "0x1000080", "PROBE begin", "</pre></script>"]) {
        assert(text.includes(part), part);
      }
      assert((await page.evaluate<string>("document.title")).startsWith("Conformance"));
      assertEquals(page.complaints, []);
    });

    it("reaches every control by the keyboard", async () => {
      await open();
      const seen = new Set<string>();
      for (let i = 0; i < 40; i++) {
        await page.press("Tab");
        seen.add(
          await page.evaluate("document.activeElement.name || document.activeElement.tagName"),
        );
      }
      for (const name of ["q", "outcome", "machine", "BUTTON", "SUMMARY"]) {
        assert(
          seen.has(name),
          name,
        );
      }
    });

    it("is readable in both colour schemes, and fits wide and narrow windows", async () => {
      for (const scheme of ["light", "dark"] as const) {
        for (const width of [1600, 400]) {
          await page.look(width, scheme);
          const { scrolled, there } = await page.evaluate<{ scrolled: number; there: number }>(
            "({ scrolled: document.documentElement.scrollWidth, there: innerWidth })",
          );
          assert(there === width && scrolled <= width, `${scrolled} in ${width}`);
          const low = await page.evaluate<string[]>(CONTRASTS);
          assertEquals(low, [], `${scheme} ${width}`);
        }
      }
      const dark = "getComputedStyle(document.body).backgroundColor";
      const back = await page.evaluate<string>(dark);
      await page.look(1600, "light");
      assert(await page.evaluate<string>(dark) !== back);
    });

    it("says that it was cut off when it was", async () => {
      await open("cut.html");
      const text = await page.evaluate<string>("document.body.innerText");
      assert(text.includes("This page was cut off"));
    });
  },
);

/** WCAG 2.2, 1.4.3: texts with less contrast than 4.5 to 1. */
const CONTRASTS = `(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const back = (element) => {
    for (; element; element = element.parentElement) {
      const color = rgb(getComputedStyle(element).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("h1, h2, p, button, .pill, .id, .about, .time, td, th, summary, dt, dd, h3, pre, li, code, label")]
    .filter((element) => element.offsetParent !== null && element.textContent.trim() !== "");
  return texts.flatMap((element) => {
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(back(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    return ratio < 4.5 ? [ratio.toFixed(2) + " " + element.textContent.slice(0, 40)] : [];
  });
})()`;
