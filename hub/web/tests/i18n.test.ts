import { describe, expect, it } from "vitest";

import en from "../src/i18n/en";
import zhCN from "../src/i18n/zh-CN";

function leaves(node: object, path = ""): [string, string][] {
  return Object.entries(node).flatMap(([key, value]) =>
    typeof value === "string" ? [[path + key, value] as [string, string]] : leaves(value as object, `${path}${key}.`),
  );
}
const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? "").sort();

describe("the two languages", () => {
  const chinese = new Map(leaves(zhCN));
  const english = new Map(leaves(en));
  it("say the same things", () => expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort()));
  it("leave no text empty", () => expect([...chinese, ...english].filter(([, text]) => !text.trim())).toEqual([]));
  it("name the same values", () => {
    for (const [key, text] of chinese) expect(holes(english.get(key) ?? ""), key).toEqual(holes(text));
  });
  it("write English without Chinese signs, but for the name of the other language", () => {
    const mixed = [...english].filter(([key, text]) => key !== "app.language" && /\p{Script=Han}/u.test(text));
    expect(mixed).toEqual([]);
  });
});
