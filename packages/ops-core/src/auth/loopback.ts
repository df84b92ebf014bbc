/** Whether a name or address, as it stands in a setting or a `Host` header, can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return name === "::1" || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}
