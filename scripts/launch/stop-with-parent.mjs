// Preloaded into each target: when the launcher is killed hard, its channel closes and the target stops as on SIGTERM,
// rather than staying behind with the port and the database.
// @ts-check

// Not in what the target itself forks: those processes have a parent of their own.
if (process.channel && process.env.OPSPAWN_LAUNCHER === String(process.ppid)) {
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel.unref();
}
