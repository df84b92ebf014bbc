import { createHmac } from "node:crypto";
import type { KeyMint, MintedKey } from "../domain/auth/minting.ts";
import type { Ids } from "../domain/ids.ts";
import { secretHash, writeKeyText } from "./key-text.ts";

export interface MintOptions {
  readonly ids: Ids;
  /** Known to this installation only; what derived keys rest on. */
  readonly root: string;
  /** Called when keys were revoked in this process. */
  readonly forget: () => void;
}

/** Makes keys with 256-bit secrets. */
export class Mint implements KeyMint {
  readonly #options: MintOptions;

  constructor(options: MintOptions) {
    this.#options = options;
  }

  mint(): MintedKey {
    const { ids } = this.#options;
    return minted(ids.uuid(), ids.secret() + ids.secret());
  }

  derive(material: string): MintedKey {
    const id = this.#hmac("id", material).toString("hex");
    // The digits of a UUID of version 8: made by its maker's own rule.
    const uuid = `${id.slice(0, 8)}-${id.slice(8, 12)}-8${id.slice(13, 16)}-8${id.slice(17, 20)}-${id.slice(20, 32)}`;
    return minted(uuid, this.#hmac("secret", material).toString("base64url"));
  }

  forget(): void {
    this.#options.forget();
  }

  #hmac(use: string, material: string): Buffer {
    return createHmac("sha256", this.#options.root).update(`opspawn.key.${use}\n${material}`).digest();
  }
}

function minted(uuid: string, secret: string): MintedKey {
  return { id: `key_${uuid}`, hash: secretHash(secret), text: writeKeyText(uuid, secret) };
}
