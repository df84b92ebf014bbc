import type { FastifyInstance } from "fastify";

declare module "fastify" {
  interface FastifyContextConfig {
    /** True for the originals' routes: errors are answered as `{detail}` alone. */
    original?: boolean;
  }
}

interface PathPattern {
  readonly segments: readonly string[];
  readonly methods: readonly string[];
  readonly original: boolean;
}

/**
 * Remembers which methods each path has, so that a wrong one can be told apart from an unknown path. On the originals'
 * paths only the method declared first is named, as they did.
 */
export class AllowedMethods {
  readonly #patterns: PathPattern[] = [];

  constructor(app: FastifyInstance) {
    app.addHook("onRoute", ({ method, url, config }) => {
      const methods = typeof method === "string" ? [method] : method;
      this.#patterns.push({ segments: segmentsOf(url), methods, original: config?.original === true });
    });
  }

  /** The `allow` header for a path whose route lacks the method asked for, or null when there is no such path. */
  of(url: string): string | null {
    const path = segmentsOf(url.split(/[?#]/, 1)[0] ?? "");
    const matches = this.#patterns.filter(({ segments }) => fits(segments, path));
    const [first] = matches;
    if (first === undefined) return null;
    const methods = first.original ? first.methods : new Set(matches.flatMap((match) => match.methods));
    return [...methods].join(", ");
  }
}

/** A slash at the end does not make another path. */
function segmentsOf(path: string): string[] {
  return path.replace(/(?<=.)\/$/, "").split("/");
}

function fits(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.at(-1) === "*" && path.length >= pattern.length)
    return fits(pattern.slice(0, -1), path.slice(0, pattern.length - 1));
  return (
    pattern.length === path.length &&
    pattern.every((part, i) => part === path[i] || (part.startsWith(":") && path[i] !== ""))
  );
}
