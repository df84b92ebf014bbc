import assert from "node:assert/strict";
import { it } from "node:test";
import { isJsonContentType } from "./content-type.ts";

it("reads a body as JSON without a content type, as application/json and as application/*+json", () => {
  const json = [
    undefined,
    "",
    "application/json",
    "APPLICATION/JSON",
    "application/json; charset=utf-8",
    "application/json;x",
  ];
  const suffixed = [
    "application/vnd.api+json",
    "application/problem+json;a=b",
    " application/ld+json ",
    "application/+json",
  ];
  for (const header of [...json, ...suffixed]) assert.equal(isJsonContentType(header), true, header);
});

it("leaves every other body a text", () => {
  const others = ["text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
  const odd = [
    "application/jsonx",
    "application/json+xml",
    "application",
    "json",
    "application/a/b+json",
    ";",
    "text/a+json",
  ];
  for (const header of [...others, ...odd]) assert.equal(isJsonContentType(header), false, header);
});
