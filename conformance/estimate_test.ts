import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Estimate } from "./estimate.ts";

const probe = (name: string) => `qemu-tcg/pc/x86_64/pvh/probe-elf64/${name}`;
const linux = "qemu-tcg/pc/x86_64/linux64/debian-6.1/userland";

describe("Estimate", () => {
  it("goes by the mean of what was seen, over the jobs", () => {
    const estimate = new Estimate([probe("a"), probe("b"), probe("c"), probe("d")], 1);
    estimate.end(probe("a"), 200);
    estimate.end(probe("b"), 400);
    assertEquals(estimate.left(0), 600);
  });

  it("takes off what the running ones have used, and never below zero", () => {
    const estimate = new Estimate([probe("a"), probe("b")], 1);
    estimate.end(probe("a"), 1000);
    estimate.begin(probe("b"), 5000);
    assertEquals(estimate.left(5400), 600);
    assertEquals(estimate.left(9000), 0);
  });

  it("is no less than the longest that is left", () => {
    const estimate = new Estimate([linux, probe("a")], 8);
    assertEquals(estimate.left(0), 15_000);
  });

  it("learns nothing from a skip, nor from another driver", () => {
    const estimate = new Estimate([linux, `${linux}-vmlinux`], 1);
    estimate.end(linux, undefined);
    estimate.end(linux.replace("tcg", "kvm"), 1);
    assertEquals(estimate.left(0), 15_000);
  });

  it("does not take many random boots for one", () => {
    const estimate = new Estimate([probe("random"), probe("a")], 1);
    estimate.end(probe("a"), 1);
    assertEquals(estimate.left(0), 5000);
  });

  it("does not take Linux for as fast as a probe", () => {
    const estimate = new Estimate([linux, probe("a")], 1);
    estimate.end(probe("a"), 1);
    assertEquals(estimate.left(0), 15_000);
  });
});
