/** The audit trail's words. Their names have dots, which a path into the messages cannot hold. */
import { i18n } from "./i18n";

/** What was done, for a reader. */
export function actionName(action: string): string {
  const names = i18n.global.tm("audit.actions") as Record<string, string>;
  return names[action] ?? action;
}

/** Every action that has a name, sorted by it. */
export function actionNames(): [string, string][] {
  const names = Object.entries(i18n.global.tm("audit.actions") as Record<string, string>);
  return names.sort(([, a], [, b]) => a.localeCompare(b, i18n.global.locale.value));
}

/** Who did it: `user:NAME`, `token:ID`, `tenant:UNIT`, `cli`, `system` or a part of the hub. */
export function actorName(actor: string): string {
  const [kind = "", name = ""] = actor.split(/:(.*)/s);
  if (kind === "user") return name;
  if (kind === "tenant") return i18n.global.t("audit.household");
  if (kind === "token") return i18n.global.t("audit.token", { id: name });
  return kind === "cli" ? i18n.global.t("audit.cli") : actor;
}
