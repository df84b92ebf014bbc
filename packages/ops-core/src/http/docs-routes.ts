import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { stringifyJson } from "@opspawn/contract";
import type { FastifyInstance } from "fastify";
import { type OpenApiOptions, openApi } from "./openapi.ts";

/** Nothing but our own files; Swagger UI sets styles on elements and shows data URLs. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Opspawn API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
`;

const ASSETS: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
};

/** `/openapi.json`, and `/docs`, which shows it with assets of this machine. */
export function addDocsRoutes(app: FastifyInstance, options: () => OpenApiOptions): void {
  let document: string | undefined;
  app.get("/openapi.json", (_request, reply) => {
    document ??= stringifyJson(openApi(options()));
    return reply.type("application/json").send(document);
  });
  // The originals had a page of each name.
  for (const path of ["/docs", "/redoc"]) {
    app.get(path, (_request, reply) =>
      reply.type("text/html; charset=utf-8").header("content-security-policy", POLICY).send(PAGE),
    );
  }
  app.get("/docs/start.js", (_request, reply) => reply.type("text/javascript; charset=utf-8").send(START));
  const assets = new URL("static/", import.meta.resolve("@fastify/swagger-ui"));
  for (const [name, type] of Object.entries(ASSETS)) {
    app.get(`/docs/${name}`, (_request, reply) =>
      reply
        .type(type)
        .header("cache-control", "public, max-age=3600")
        .send(createReadStream(fileURLToPath(new URL(name, assets)))),
    );
  }
}
