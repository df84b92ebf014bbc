// Preloaded into each target: when the launcher is killed hard, its channel closes and the target stops as on SIGTERM,
// rather than staying behind with the port and the database.
// @ts-check

if (process.channel) {
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel.unref();
}
