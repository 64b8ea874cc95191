/** Channels as managers know them: a robot's webhook is pasted whole, and becomes the address that the hub sends to. */
export const CHANNELS = ["dingtalk", "wecom", "feishu", "mail", "other"] as const;
export type ChannelKind = (typeof CHANNELS)[number];

const TOKEN: Partial<Record<ChannelKind, { find: RegExp; scheme: string }>> = {
  dingtalk: { find: /[?&]access_token=([^&\s]+)/, scheme: "dingtalk" },
  wecom: { find: /[?&]key=([^&\s]+)/, scheme: "wecombot" },
  feishu: { find: /\/hook\/([^/?\s]+)/, scheme: "feishu" },
};

/** The hub's address for what somebody typed; "" for nothing. `secret` signs DingTalk's messages. */
export function channelAddress(kind: ChannelKind, typed: string, secret = ""): string {
  const text = typed.trim();
  if (!text) return "";
  const known = TOKEN[kind];
  if (known) {
    if (text.startsWith(`${known.scheme}://`)) return text;
    const token = known.find.exec(text)?.[1] ?? text;
    return `${known.scheme}://${kind === "dingtalk" && secret.trim() ? `${secret.trim()}@` : ""}${token}`;
  }
  return text;
}

/** What kind of channel an address's scheme is. */
export function channelKind(scheme: string): ChannelKind {
  if (scheme === "dingtalk" || scheme === "feishu") return scheme;
  if (scheme === "wecombot") return "wecom";
  return scheme.startsWith("mailto") ? "mail" : "other";
}
