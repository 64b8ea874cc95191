/** What-if: numbers to try, whether they can be, and the replay that tells what they would have done. */
import type { Schemas } from "./api/client";
import { got, hub } from "./api/client";
import { i18n } from "./i18n";

export type Rule = Schemas["RulePolicyOut"];
export type Parameter = Schemas["ParameterOut"];
export type Value = boolean | number | string | string[];
export type Replay = Schemas["ReplayDetail"];

/** One number to try. `typed` is what stands in the field, whatever it is. */
export interface Draft {
  rule: string;
  parameter: string;
  scope: string;
  typed: string;
}

/** What stands in the field for a value. */
export function typedOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** The value that was typed, or what is wrong with it in the reader's language. */
export function readTyped(typed: string, parameter: Parameter): { value: Value } | { problem: string } {
  const { t } = i18n.global;
  const text = typed.trim();
  if (text === "") return { problem: t("app.required") };
  switch (parameter.kind) {
    case "switch":
      return { value: text === "true" };
    case "whole":
    case "number": {
      const value = Number(text);
      if (!Number.isFinite(value)) return { problem: t("policies.notANumber") };
      if (parameter.kind === "whole" && !Number.isInteger(value)) return { problem: t("policies.notWhole") };
      const { least, most } = parameter;
      if ((least !== null && value < least) || (most !== null && value > most)) {
        return { problem: t("policies.outOfRange", { least: least ?? "−∞", most: most ?? "∞" }) };
      }
      return { value };
    }
    case "choice":
      return parameter.choices.includes(text) ? { value: text } : { problem: t("policies.notAChoice") };
    case "list":
      return { value: text.split(/[,，、]/).map((part) => part.trim()).filter(Boolean) };
    default:
      if (parameter.pattern && !new RegExp(parameter.pattern, "u").test(text)) return { problem: t("policies.wrongForm") };
      return { value: text };
  }
}

const POLL_MS = 400;

/** Play the past and wait for its end. `told` hears how far it has come; `signal` stops the waiting. */
export async function play(body: Schemas["ReplayIn"], told: (replay: Schemas["ReplayOut"]) => void, signal: AbortSignal): Promise<Replay> {
  const started = await got(hub.POST("/api/v1/replays", { body }));
  told(started);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (signal.aborted) throw new DOMException("stopped", "AbortError");
    const replay = await got(hub.GET("/api/v1/replays/{number}", { params: { path: { number: started.id } } }));
    told(replay);
    if (replay.state !== "running") return replay;
  }
}
