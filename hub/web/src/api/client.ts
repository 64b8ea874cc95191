import createClient, { type Middleware } from "openapi-fetch";

import { i18n } from "../i18n";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Problem = Schemas["ProblemDocument"];

/** An answer of the hub that is not what was asked for. `slug` names the problem; pages translate it. */
export class HubProblem extends Error {
  readonly slug: string;
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.title ?? String(status));
    this.slug = problem.type?.replace("urn:anfang:problem:", "") ?? "unknown";
  }
  /** What is wrong with one field of the form, if anything. */
  field(name: string): string | undefined {
    return this.problem.errors?.find((error) => error.field === name || error.field.startsWith(`${name}.`))?.message;
  }
}

export const pageToken = { csrf: "", tenant: "" };
/** Called when the hub no longer knows us. */
export const onSignedOut = { run: (): void => undefined };

const middleware: Middleware = {
  onRequest({ request }) {
    request.headers.set("Accept-Language", i18n.global.locale.value);
    if (pageToken.tenant) request.headers.set("Authorization", `Tenant ${pageToken.tenant}`);
    else if (request.method !== "GET" && pageToken.csrf) request.headers.set("X-CSRF-Token", pageToken.csrf);
    return request;
  },
};

export const hub = createClient<paths>({
  baseUrl: "/",
  credentials: "same-origin",
  // Looked up at each call, so that tests can put another in its place.
  fetch: (request) => globalThis.fetch(request),
});
hub.use(middleware);

/** The data of an answer. Throws HubProblem for a refusal and TypeError when the hub cannot be reached. */
export async function got<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  if (response.status === 401 && !pageToken.tenant) onSignedOut.run();
  throw new HubProblem(response.status, (error ?? {}) as Partial<Problem>);
}
