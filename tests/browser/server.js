// The real program, started for one file of tests on a free port with a data directory of its own.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Starts the program named by BELLWETHER; gives its address and how to end it. */
export async function start(...flags) {
  const data = mkdtempSync(join(tmpdir(), "bellwether-browser-"));
  const child = spawn(process.env.BELLWETHER, [
    "serve", "--data", data, "--listen", "127.0.0.1:0", "--abuse-budgets", "off", ...flags,
  ], { stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  createInterface(child.stderr).on("line", (line) => log.push(line));
  // A test that dies must not leave a server behind.
  const kill = () => child.kill("SIGKILL");
  process.on("exit", kill);
  const url = await new Promise((resolve, reject) => {
    createInterface(child.stdout).on("line", (line) => {
      if (line.startsWith("listening on ")) resolve(line.slice("listening on ".length));
    });
    child.on("exit", (code) => reject(new Error(`it ended with ${code}:\n${log.join("\n")}`)));
  });
  const stop = async () => {
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGTERM");
    const code = await ended;
    process.off("exit", kill);
    rmSync(data, { recursive: true, force: true });
    return code;
  };
  /** A line of its log that fits, once it is there. */
  const tells = async (words) => {
    const until = Date.now() + 20_000;
    while (!log.some((line) => words.test(line))) {
      if (Date.now() > until) throw new Error(`no ${words} in:\n${log.join("\n")}`);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
    return log.find((line) => words.test(line));
  };
  return { url, data, log, tells, stop };
}
