// Preloaded into what the launcher starts: when the launcher is killed hard, the channel to it closes, and the child
// stops as on SIGTERM, rather than staying behind with the port and the database, or with a half-done install.
// @ts-check

// Not in what the child itself forks: those processes have a parent of their own.
if (process.channel && process.env.OPSPAWN_LAUNCHER === String(process.ppid)) {
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel.unref();
}
