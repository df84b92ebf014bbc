const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

/**
 * Whether a result may be sent to `resultUrl`: only to an origin this agent was told to trust, since the address comes
 * in a message that anybody might have sent. The names of loopback are one host.
 */
export function isTrustedResultUrl(resultUrl: string, trusted: readonly string[]): boolean {
  const origin = originOf(resultUrl);
  return origin !== null && trusted.some((url) => originOf(url) === origin);
}

function originOf(url: string): string | null {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return null;
  if (LOOPBACK.has(parsed.hostname)) parsed.hostname = "localhost";
  return parsed.origin;
}
