import { reactive, readonly } from "vue";

import { got, hub, onSignedOut, pageToken, type Schemas } from "./api/client";

type SessionInfo = Schemas["SessionInfo"];

const state = reactive<{ who: SessionInfo | null }>({ who: null });
export const session = readonly(state);

function enter(info: SessionInfo): void {
  state.who = info;
  pageToken.csrf = info.csrf ?? "";
}

export function leave(): void {
  state.who = null;
  pageToken.csrf = "";
}

onSignedOut.run = leave;

/** Whether the person may do something; the hub checks again. */
export function may(right: string): boolean {
  return state.who?.rights.includes(right) ?? false;
}

/** Take up the session of the cookie, if there is one. */
export async function restore(): Promise<void> {
  const info = await got(hub.GET("/api/v1/session"));
  if (info) enter(info);
}

export async function signIn(name: string, password: string): Promise<void> {
  enter(await got(hub.POST("/api/v1/session", { body: { name, password } })));
}

export async function signInByLink(secret: string): Promise<void> {
  enter(await got(hub.POST("/api/v1/session/link", { body: { secret } })));
}

export async function signOut(): Promise<void> {
  await got(hub.DELETE("/api/v1/session"));
  leave();
}
