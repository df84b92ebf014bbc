import type { Page, Paged } from "../store.ts";
import type { ApiKey } from "./key.ts";

export interface KeyStore {
  create(key: ApiKey): Promise<void>;
  /** The key was used: those of earlier registrations of its agent end after the overlap. Nearly always only a look. */
  used(key: ApiKey): Promise<void>;
  revoke(id: string): Promise<ApiKey | null>;
  get(id: string): Promise<ApiKey | null>;
  list(page: Page): Promise<Paged<ApiKey>>;
}
