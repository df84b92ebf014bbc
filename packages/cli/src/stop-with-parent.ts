// Preloaded into the server: when the command that started it is killed hard, the channel between the two closes and
// the server stops as on SIGTERM, rather than staying behind with the port and the database.
if (process.channel !== undefined) {
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel?.unref();
}
