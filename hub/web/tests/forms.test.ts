import { flushPromises, mount } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createMemoryHistory, createRouter } from "vue-router";

import { HubProblem } from "../src/api/client";
import { channelAddress, channelKind } from "../src/channels";
import CheckInForm from "../src/components/tenancy/CheckInForm.vue";
import DropFile from "../src/components/DropFile.vue";
import { toBase64 } from "../src/files";
import { complaints, createForm } from "../src/forms";
import { i18n, inLanguage } from "../src/i18n";
import { createImport } from "../src/importing";

const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/:rest(.*)*", component: { template: "<p />" } }] });
const plugins = [i18n, router];
const problem = (body: object): HubProblem => new HubProblem(422, { title: "提交的内容有误", ...body });

describe("what the hub complains of", () => {
  it("is said in the reader's language", () => {
    expect(inLanguage("手机号应为 11 位数字 / 11 digits are expected")).toBe("手机号应为 11 位数字");
    expect(inLanguage("only English / and more of it")).toBe("only English / and more of it");
  });
  it("goes to the field that it names", () => {
    expect(complaints(problem({ detail: "residents[1]: 姓名为空 / a name is expected" }))).toEqual({ "residents.1": "姓名为空" });
    expect(complaints(problem({ detail: "lease l1 / l2: overlap" }))).toEqual({ "": "lease l1 / l2: overlap" });
    const errors = [{ field: "residents.0.name", code: "string_too_short", message: "at least 1" }];
    expect(complaints(problem({ errors }))).toEqual({ "residents.0.name": i18n.global.t("app.required") });
  });
});

describe("a form", () => {
  it("keeps what was typed when the hub refuses, and says it at the nearest field", async () => {
    const form = createForm(() => ({ name: "", end: "" }), {
      fields: () => ["name", "end"],
      send: async () => {
        throw problem({ detail: "end: 结束早于开始 / ends before it begins" });
      },
    });
    form.state.values.name = "张三";
    expect(await form.submit()).toBe(false);
    expect(form.state.wrong).toEqual({ end: "结束早于开始" });
    expect(form.state.values.name).toBe("张三");
    expect(form.state.isBusy).toBe(false);
  });
  it("sends nothing that is wrong already", async () => {
    const send = vi.fn();
    const form = createForm(() => ({ name: "" }), { fields: () => ["name"], check: () => ({ name: "!" }), send });
    expect(await form.submit()).toBe(false);
    expect(send).not.toHaveBeenCalled();
  });
  it("says what belongs to no field above its button", async () => {
    const form = createForm(() => ({ name: "" }), {
      fields: () => ["name"],
      send: async () => {
        throw new TypeError("network");
      },
    });
    await form.submit();
    expect(form.state.wrong).toEqual({ "": i18n.global.t("app.unreachable") });
  });
});

describe("moving in", () => {
  const unit = { code: "a-1-101", let_as: "whole", rooms: [], leases: [], occupants: [] };
  it("asks for a day and a name first, and sends people as the hub takes them", async () => {
    const bodies: { residents: { name: string; registered_on: string | null }[] }[] = [];
    vi.stubGlobal("fetch", async (request: Request) => {
      bodies.push(await request.json());
      return Response.json(unit, { status: 201 });
    });
    const form = mount(CheckInForm, { props: { unit: unit as never }, global: { plugins } });
    await form.get("form").trigger("submit");
    expect(form.findAll("[role=alert]").map((node) => node.text())).toEqual(Array(2).fill(i18n.global.t("app.required")));
    await form.get("#in-start").setValue("2026-01-01");
    await form.get("#in-name-0").setValue(" 张三 ");
    await form.get("form").trigger("submit");
    await flushPromises();
    expect(bodies[0]?.residents).toMatchObject([{ name: "张三", registered_on: null, role: "tenant" }]);
    expect(form.emitted("done")).toHaveLength(1);
  });
});

describe("an import", () => {
  const bodies: { apply: boolean; cells: object[] }[] = [];
  beforeEach(() => {
    bodies.length = 0;
    vi.stubGlobal("fetch", async (request: Request) => {
      const body = await request.json();
      bodies.push(body);
      const fault = { sheet: "CSV", row: 3, column: "电话", value: "12", message: "x / y", is_warning: false };
      const warning = { ...fault, row: 2, is_warning: true };
      return Response.json({ faults: body.cells.length ? [] : [warning, fault], results: [], refused: body.cells.length ? 0 : 1, is_applied: body.apply });
    });
  });
  it("sends what was mended with each look, and puts refused rows first", async () => {
    const table = createImport();
    await table.take(new File(["房号\n1"], "a.csv"));
    await table.run(false);
    expect(table.rows.value.map((row) => [row.row, row.isRefused])).toEqual([
      [3, true],
      [2, false],
    ]);
    const row = table.rows.value[0]!;
    table.mend(row.faults[0]!, "13800001234");
    table.mend({ sheet: "CSV", row: 3, column: "房型" }, "居室");
    expect(table.valueOf(row.faults[0]!)).toBe("13800001234");
    expect(table.extras(row).map((cell) => cell.column)).toEqual(["房型"]);
    expect(table.state.isStale).toBe(true);
    await table.run(true);
    expect(bodies.at(-1)).toMatchObject({ apply: true, cells: [{ row: 3, column: "电话", value: "13800001234" }, { column: "房型" }] });
    expect(table.state.isStale).toBe(false);
    await table.take(new File([""], "b.csv"));
    expect(table.state.mended.size).toBe(0);
  });
  it("takes a file that is dropped", async () => {
    const drop = mount(DropFile, { props: { accept: ".csv", label: "here", hint: "" }, global: { plugins } });
    const file = new File(["a"], "a.csv");
    await drop.trigger("drop", { dataTransfer: { files: [file] } });
    expect(drop.emitted("file")).toEqual([[file]]);
  });
  it("writes any bytes as base64", async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, at) => at % 256);
    expect(Buffer.from(await toBase64(new Blob([bytes])), "base64").equals(bytes)).toBe(true);
  });
});

describe("a channel", () => {
  it("is taken from the webhook that the robot's page shows", () => {
    expect(channelAddress("dingtalk", "https://robot.example/send?access_token=abc&x=1", " SEC1 ")).toBe("dingtalk://SEC1@abc");
    expect(channelAddress("wecom", "https://robot.example/send?key=k-1")).toBe("wecombot://k-1");
    expect(channelAddress("feishu", "https://robot.example/bot/v2/hook/t-1")).toBe("feishu://t-1");
    expect(channelAddress("dingtalk", "abc")).toBe("dingtalk://abc");
    expect(channelAddress("other", " jsons://example.org/x ")).toBe("jsons://example.org/x");
    expect(channelAddress("wecom", "  ")).toBe("");
  });
  it("is named by its scheme", () => {
    expect(["dingtalk", "wecombot", "feishu", "mailtos", "json"].map(channelKind)).toEqual(["dingtalk", "wecom", "feishu", "mail", "other"]);
  });
});
