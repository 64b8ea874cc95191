import { beforeEach, describe, expect, it, vi } from "vitest";

import { ALL, fromAddress, fromText, toAddress, toQuery, toText } from "../src/filters";
import { i18n } from "../src/i18n";
import zhCN from "../src/i18n/zh-CN";
import { parameterName, parameterValue } from "../src/parameters";
import { forgetPlaces, learnPlaces, placeName } from "../src/places";

describe("the inbox's filter", () => {
  const filter = { class: "L", severity: "P0", state: "all", mine: true, overdue: true, within: "990000-0002", order: "due" } as const;
  it("comes back from an address and from a saved view as it was", () => {
    expect(fromAddress(toAddress(filter) as Record<string, string>)).toEqual(filter);
    expect(fromText(toText(filter))).toEqual(filter);
    expect(toText(ALL)).toBe("");
  });
  it("takes an address that says nonsense for one that says nothing", () => {
    expect(fromAddress({ class: "Z", severity: ["P0"], state: "gone", mine: "yes", within: null })).toEqual(ALL);
  });
  it("asks the hub for what it says", () => {
    expect(toQuery({ ...filter, within: " 1 " }, "zhangsan")).toEqual({
      class: ["L"],
      severity: ["P0"],
      state: "all",
      assignee: "zhangsan",
      overdue: true,
      within: "1",
      order: "due",
    });
    expect(toQuery(ALL, "zhangsan")).toEqual({ state: "open", order: "urgent" });
  });
});

describe("places", () => {
  beforeEach(forgetPlaces);
  it("are said by the building's name once it is known, and by their code before", async () => {
    expect(placeName("a-1-2-302", "a-1")).toBe("a-1-2-302");
    vi.stubGlobal("fetch", async () => Response.json({ items: [{ code: "a-1", name: "一号楼" }], next: null }));
    await learnPlaces();
    expect(placeName("a-1-2-302", "a-1")).toBe("一号楼 2-302");
    expect(placeName(null, "a-1")).toBe("一号楼");
    expect(placeName("b-9", "b")).toBe("b-9");
    expect(placeName(null, null)).toBe(null);
  });
  it("stay codes while the network is away", async () => {
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("network");
    });
    await learnPlaces();
    expect(placeName("a-1-302", "a-1")).toBe("a-1-302");
  });
});

describe("a rule's parameters", () => {
  it("are said with their unit", () => {
    expect(parameterValue("ack_within_s", 60)).toBe("1 分钟");
    expect(parameterValue("act_within_s", 7200)).toBe("2 小时");
    expect(parameterValue("late_s", 90)).toBe("90 秒");
    expect(parameterValue("due_workdays", 3)).toBe("3 个工作日");
    expect(parameterValue("min_coverage", 0.8)).toBe("80%");
    expect(parameterValue("min_area_m2", null)).toBe(i18n.global.t("app.unknown"));
    expect(parameterValue("area_basis", "usable")).toBe(zhCN.units.bases.usable);
    expect(parameterValue("enabled", true)).toBe("是");
  });
  it("keep a name that nobody has translated", () => expect(parameterName("brand_new_s")).toBe("brand_new_s"));
});
