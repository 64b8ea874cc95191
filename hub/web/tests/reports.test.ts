import { mount } from "@vue/test-utils";
import { describe, expect, it } from "vitest";

import type { Schemas } from "../src/api/client";
import BuildingMap from "../src/components/BuildingMap.vue";
import DutyRoster from "../src/components/DutyRoster.vue";
import { i18n } from "../src/i18n";
import { figureText, lastMonths, monthOf } from "../src/report";
import { inOrder, type Scope } from "../src/scopes";
import { readTyped, typedOf, type Parameter } from "../src/whatif";

const plugins = [i18n];

describe("a typed value", () => {
  const parameter = (over: Partial<Parameter>): Parameter => ({
    name: "x", value: 3, is_unknown: false, source: "", clause: "", verified: false, verified_at: null, pack: "", overridden_by: null,
    kind: "whole", least: 1, most: 10, pattern: null, choices: [], ...over,
  });
  const value = (typed: string, over: Partial<Parameter> = {}): unknown => {
    const read = readTyped(typed, parameter(over));
    return "value" in read ? read.value : read.problem;
  };

  it("is read by its kind", () => {
    expect(value(" 7 ")).toBe(7);
    expect(value("0.5", { kind: "number", least: 0, most: 1 })).toBe(0.5);
    expect(value("false", { kind: "switch" })).toBe(false);
    expect(value("usable", { kind: "choice", choices: ["usable", "gross"] })).toBe("usable");
    expect(value("a，b、 c", { kind: "list" })).toEqual(["a", "b", "c"]);
    expect(value("22:00", { kind: "text", pattern: "^[0-9]{2}:[0-9]{2}$" })).toBe("22:00");
  });

  it("is told what is wrong in the reader's language", () => {
    expect(value("")).toBe("请填写此项");
    expect(value("seven")).toBe("请输入数字");
    expect(value("1e400", { kind: "number" })).toBe("请输入数字");
    expect(value("7.5")).toBe("请输入整数");
    expect(value("11")).toBe("应在 1 至 10 之间");
    expect(value("much", { kind: "choice", choices: ["usable"] })).toBe("请从选项中选择");
    expect(value("10pm", { kind: "text", pattern: "^[0-9]{2}:[0-9]{2}$" })).toBe("格式不正确");
  });

  it("comes back as it stands in the field", () => {
    for (const held of [3, 0.5, true, "usable"]) expect(typedOf(held)).toBe(String(held));
    expect(typedOf(null)).toBe("");
    expect(typedOf(["a", "b"])).toBe("a, b");
  });
});

describe("figures", () => {
  it("are written as on paper", () => {
    expect(figureText(0.125, "share")).toBe("12.5%");
    expect(figureText(3900, "seconds")).toBe("1:05:00");
    expect(figureText(0, "number")).toBe("0");
    expect(figureText(null, "share")).toBe("—");
  });

  it("are of months that begin at midnight in China", () => {
    expect(monthOf(new Date("2026-10-31T16:00:00Z"))).toBe("2026-11");
    expect(monthOf(new Date("2026-10-31T15:59:59Z"))).toBe("2026-10");
    expect(lastMonths(new Date("2026-01-15T00:00:00Z"), 3)).toEqual(["2026-01", "2025-12", "2025-11"]);
  });
});

describe("the tree of scopes", () => {
  const scope = (code: string, parent: string | null): Scope => ({ code, parent, kind: "estate", name: code });
  it("puts each under what holds it, and loses none", () => {
    const found = inOrder([scope("b-1", "estate"), scope("estate", "city"), scope("city", null), scope("alone", "hidden")]);
    expect(found.map(({ code, depth }) => [code, depth])).toEqual([["city", 0], ["estate", 1], ["b-1", 2], ["alone", 0]]);
    expect(inOrder([scope("a", "b"), scope("b", "a")])).toHaveLength(2);
  });
});

describe("the duty roster", () => {
  const at = "2026-11-23T00:00:00Z";
  const shift = (from: number, to: number, level = 0): Schemas["ShiftNow"] => ({
    recipient: "值班台", scope: "", level, is_now: from <= 0,
    begin: new Date(Date.parse(at) + from * 3_600_000).toISOString(), end: new Date(Date.parse(at) + to * 3_600_000).toISOString(),
  });
  const said = (...shifts: Schemas["ShiftNow"][]): string => mount(DutyRoster, { props: { shifts, at }, global: { plugins } }).text();

  it("says when nobody hears first", () => {
    expect(said()).toContain("无人值班");
    expect(said(shift(-1, 8), shift(10, 25))).toContain("空缺");
    expect(said(shift(0, 30, 1))).toContain("空缺");
    expect(said(shift(-1, 12), shift(11, 24))).not.toContain("空缺");
  });
});

describe("the map of buildings", () => {
  const building = (over: Partial<Schemas["BuildingNow"]>): Schemas["BuildingNow"] => ({
    code: "a-1", name: "1幢", scope: "a", units: 4, states: { let: 3, vacant: 1 }, residents: 5, by_class: {}, worst: null,
    is_life_at_risk: false, gateways: 1, gateways_away: 0, places: 4, missing: 0, detectors_required: true, ...over,
  });
  const plots = (...buildings: Schemas["BuildingNow"][]) =>
    mount(BuildingMap, { props: { buildings, names: new Map([["a", "示范小区"]]) }, global: { plugins } });

  it("shows each building's figures, the gravest unmistakably", () => {
    const map = plots(building({}), building({ code: "a-2", worst: "P0", is_life_at_risk: true, by_class: { L: 2 }, missing: 1, gateways_away: 1 }));
    const [calm, grave] = map.findAll(".plot");
    expect(map.text()).toContain("示范小区");
    expect(calm?.text()).toContain("平稳");
    expect(calm?.findAll(".pixel")).toHaveLength(4);
    expect(grave?.classes()).toContain("life");
    for (const words of ["生命安全", "2 条预警", "缺烟感 1 处", "网关离线 1"]) expect(grave?.text()).toContain(words);
  });

  it("keeps quiet of detectors that nobody requires", () => {
    expect(plots(building({ missing: 3, detectors_required: false })).text()).not.toContain("缺烟感");
  });
});
