import { readFileSync } from "node:fs";

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux. */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time that a process and its threads have used, user and system; NaN where /proc is missing. */
export function cpuSeconds(pid: number): number {
  const stat = readProc(pid, "stat");
  // The second field is the program's name in brackets, which may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Bytes of memory that are in RAM now; NaN where /proc is missing. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readProc(pid, "status"))?.[1]) * 1024;
}

/** Bytes read and written by system calls, which for a process that only talks are the bytes on the wire. */
export function callBytes(pid: number): number {
  const io = readProc(pid, "io");
  return Number(/^rchar: (\d+)$/m.exec(io)?.[1]) + Number(/^wchar: (\d+)$/m.exec(io)?.[1]);
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
