import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { countJunit } from "./junit.ts";

// Each report is the runner's own, cut down, of these tests:
//   describe("top", () => { it("ok"); it.skip("no"); it("a <&> b" /* throws */);
//     describe("in > ner", () => { it("ok"); }); });
//   describe.skip("group", () => { it("x"); });
const DENO = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="8" failures="2" errors="0" time="6.109">
    <testsuite name="./a_test.ts" tests="2" disabled="1" errors="0" failures="1">
        <testcase name="top" classname="./a_test.ts" time="0.006" line="2" col="1">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="group" classname="./a_test.ts" time="0.000" line="10" col="10">
            <skipped/>
        </testcase>
    </testsuite>
    <testsuite name="ext:deno_node/testing.ts" tests="5" disabled="1" errors="0" failures="1">
        <testcase name="top &gt; ok" classname="ext:deno_node/testing.ts" time="0.001" line="1">
        </testcase>
        <testcase name="top &gt; no" classname="ext:deno_node/testing.ts" time="0.000" line="1">
            <skipped/>
        </testcase>
        <testcase name="top &gt; a &lt;&amp;&gt; b" classname="ext:deno_node/testing.ts">
            <failure message="Uncaught Error: &lt;testcase&gt;">Error: &lt;testcase&gt;</failure>
        </testcase>
        <testcase name="top &gt; in &gt; ner" classname="ext:deno_node/testing.ts" time="0.001">
        </testcase>
        <testcase name="top &gt; in &gt; ner &gt; ok" classname="ext:deno_node/testing.ts">
        </testcase>
    </testsuite>
</testsuites>`;

const BUN = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="4" assertions="0" failures="1" skipped="1" time="6.03">
  <testsuite name="a_test.ts" file="a_test.ts" tests="4" failures="1" skipped="1" hostname="vm">
    <testsuite name="top" file="a_test.ts" line="2" tests="4" failures="1" skipped="1">
      <testcase name="ok" classname="top" time="0.001112" file="a_test.ts" line="3" />
      <testcase name="no" classname="top" time="0" file="a_test.ts" line="4" assertions="0">
        <skipped />
      </testcase>
      <testcase name="a &lt;&amp;&gt; b" classname="top" time="0" file="a_test.ts" line="7">
        <failure type="Error" message="&lt;testcase&gt; ">Error: &#10;  at a_test.ts:7:41</failure>
      </testcase>
      <testsuite name="in &gt; ner" file="a_test.ts" line="8" tests="1" failures="0">
        <testcase name="ok" classname="in &gt; ner &gt; top" time="0.000039" assertions="0" />
      </testsuite>
    </testsuite>
  </testsuite>
</testsuites>`;

const NODE = `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testsuite name="top" time="0.004166" disabled="0" errors="0" tests="4" failures="1" skipped="1">
		<testcase name="ok" time="0.002150" classname="test"/>
		<testcase name="no" time="0.000126" classname="test">
			<skipped type="skipped" message="true"/>
		</testcase>
		<testcase name="a &lt;&amp;> b" time="0.000224" classname="test" failure="&lt;testcase>">
			<failure type="testCodeFailure" message="&lt;testcase>">
[Error [ERR_TEST_FAILURE]: &lt;testcase>] { code: 'ERR_TEST_FAILURE', x: "&lt;skipped/>" }
			</failure>
		</testcase>
		<testsuite name="in > ner" time="0.000231" tests="1" failures="0" skipped="0">
			<testcase name="ok" time="0.000088" classname="test"/>
		</testsuite>
	</testsuite>
	<testcase name="group" time="0.000061" classname="test">
		<skipped type="skipped" message="true"/>
	</testcase>
	<!-- tests 5 <testcase name="comment"/> -->
</testsuites>`;

describe("countJunit", () => {
  it("counts Deno's report without the groups", () => {
    assertEquals(countJunit(DENO), { passed: 2, failed: 1, skipped: 2 });
  });

  it("counts Bun's report, which omits a skipped group", () => {
    assertEquals(countJunit(BUN), { passed: 2, failed: 1, skipped: 1 });
  });

  it("counts Node's report, and nothing inside comments or messages", () => {
    assertEquals(countJunit(NODE), { passed: 2, failed: 1, skipped: 2 });
  });

  it("counts nothing in a report of nothing", () => {
    assertEquals(countJunit(`<testsuites name="deno test" tests="0"></testsuites>`), {
      passed: 0,
      failed: 0,
      skipped: 0,
    });
    assertEquals(countJunit(""), { passed: 0, failed: 0, skipped: 0 });
  });
});
