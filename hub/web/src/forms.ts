/** Forms: what is typed stays, what is wrong is said beside its field in the reader's language. */
import { nextTick, reactive } from "vue";

import { HubProblem } from "./api/client";
import { i18n, inLanguage } from "./i18n";
import { words } from "./paged";

export type Wrong = Record<string, string>;

/** What the hub's check of one field says, in words: its codes are pydantic's. */
export function fieldWords(code: string, message: string): string {
  const { t } = i18n.global;
  if (code === "missing" || code === "string_too_short") return t("app.required");
  if (code === "string_too_long" || code === "too_long") return t("app.tooLong");
  if (code.startsWith("date") || code.startsWith("time")) return t("app.noDate");
  if (["string_pattern_mismatch", "enum", "literal_error"].includes(code) || /pars/.test(code)) return t("app.noForm");
  if (/^(greater|less)_than/.test(code)) return t("app.noRange");
  return inLanguage(message);
}

/** Where each complaint of the hub belongs: `residents[0]: …` and `residents.0.name` are fields, the rest is `""`. */
export function complaints(error: HubProblem): Wrong {
  const found: Wrong = {};
  for (const { field, code, message } of error.problem.errors ?? []) found[field] ??= fieldWords(code, message);
  if (Object.keys(found).length) return found;
  const named = /^([a-z_]+(?:\[\d+\])?(?:\.[a-z_]+)?): (.+)$/s.exec(error.problem.detail ?? "");
  if (!named?.[1] || !named[2]) return { "": words(error) };
  return { [named[1].replace(/\[(\d+)\]/g, ".$1")]: inLanguage(named[2]) };
}

/**
 * A form's state. `check` says what is wrong before anything is sent; `send` sends it. What the hub complains of lands
 * beside the fields in `fields` (`a` stands for `a.b` too), everything else in `wrong[""]`.
 */
export function createForm<T extends object>(
  initial: () => T,
  options: { fields: (values: T) => readonly string[]; check?: (values: T) => Wrong; send: (values: T) => Promise<void> },
) {
  const state = reactive({ values: initial(), wrong: {} as Wrong, isBusy: false });

  function place(found: Wrong): void {
    state.wrong = {};
    // The longest name first: `residents.0.name` before `residents.0`.
    const fields = options.fields(state.values as T).toSorted((a, b) => b.length - a.length);
    for (const [field, what] of Object.entries(found)) {
      state.wrong[fields.find((name) => field === name || field.startsWith(`${name}.`)) ?? ""] ??= what;
    }
  }

  async function submit(event?: Event): Promise<boolean> {
    place(options.check?.(state.values as T) ?? {});
    if (Object.keys(state.wrong).length === 0) {
      state.isBusy = true;
      try {
        await options.send(state.values as T);
        return true;
      } catch (error) {
        place(error instanceof HubProblem ? complaints(error) : { "": words(error) });
      } finally {
        state.isBusy = false;
      }
    }
    await nextTick();
    const form = event?.currentTarget ?? event?.target;
    if (form instanceof HTMLElement) form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
    return false;
  }

  return { state, submit, reset: () => Object.assign(state, { values: initial(), wrong: {} }) };
}

/** "" when there is something, else that there has to be. */
export function needed(value: string): Wrong[string] {
  return value.trim() ? "" : i18n.global.t("app.required");
}

/** Only the entries that say something. */
export function only(found: Wrong): Wrong {
  return Object.fromEntries(Object.entries(found).filter(([, what]) => what));
}
