// Makes the checkout ready to run: a Node 24 and the dependencies. Silent and lock-free when both are there.
// @ts-check

import { mkdirSync } from "node:fs";
import path from "node:path";
import { dependenciesReady, installDependencies } from "./dependencies.mjs";
import { discardUnfinished, fetchNode, findNode } from "./node-runtime.mjs";
import { withSetUpLock } from "./set-up-lock.mjs";

/**
 * @param {string} root the repository
 * @returns {Promise<string>} the path of a Node new enough to run everything else
 */
export async function setUp(root) {
  const node = findNode(root);
  if (node !== undefined && dependenciesReady(root)) return node;
  const cache = path.join(root, ".cache");
  mkdirSync(cache, { recursive: true });
  // Another launch may have finished the work while this one waited, so each step looks again.
  return withSetUpLock(path.join(cache, "set-up.lock"), async () => {
    discardUnfinished(root);
    const readyNode = findNode(root) ?? (await fetchNode(root));
    if (!dependenciesReady(root)) await installDependencies(root, readyNode);
    return readyNode;
  });
}
